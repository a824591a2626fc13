"""Modules around a unit that are made for the simulator alone, in fpsim/verify/wrappers."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.verify.ports import Unit, in_port, out_port, select

MEMORY_BEATS, MEMORY_ROWS = 1 << 17, 1 << 16


def _array_memory(config: ArrayConfig) -> Unit:
    numbers = ("rows", "wrong", "wrong_row", "cycles")
    return Unit(
        "array_memory",
        "combinational",  # to the bench: the clock is inside
        ("random",),
        {
            **select(config, "Rows", "Cols", "Formats", "AccW", "Saturate", "Overlap"),
            "MaxBeats": MEMORY_BEATS,
            "MaxRows": MEMORY_ROWS,
        },
        (in_port("go", 1, meaning="flag"), in_port("beats", 32), in_port("rows", 32)),
        (
            out_port("done", 1, meaning="flag"),
            *(out_port(name, 32) for name in numbers),
            out_port("got", 1 + config.cols * config.unit.acc_bits),
        ),
    )


WRAPPERS = {"array_memory": _array_memory}
