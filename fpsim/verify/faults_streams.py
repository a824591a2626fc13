"""Faults of queue and register slice."""

from __future__ import annotations

from fpsim.verify.fault import Fault

STREAMS_FAULTS = (
    Fault(
        "fifo-index",
        "fifo",
        "fpsim_fifo.sv",
        "push && write_q == INDEX_W'(i)",
        "push && read_q == INDEX_W'(i)",
        "a word goes where the oldest one lies: right only where the queue is empty",
    ),
    Fault(
        "skid-spare",
        "skid",
        "fpsim_skid.sv",
        "assign word_d = spare_q ? spare_word_q : data_i;",
        "assign word_d = data_i;",
        "a word caught behind a stall is lost",
    ),
)
