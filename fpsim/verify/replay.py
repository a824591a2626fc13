"""Play the sequence of a file once more: what `fpsim verify --replay FILE` does."""

from __future__ import annotations

from pathlib import Path

from fpsim.verify.job import Job
from fpsim.verify.runner import Run, simulate
from fpsim.verify.sequence import read_sequence
from fpsim.verify.waves import simulate_with_waves


def replay_job(file: str | Path, rtl: str | Path | None = None) -> Job:
    """The job that plays the file's sequence and nothing else.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no sequence, was changed, or does not fit the unit; says where.
    """
    sequence = read_sequence(file)
    return Job(
        sequence.unit_name,
        sequence.config,
        kinds=("sequences",),
        seed=sequence.seed,
        rtl=None if rtl is None else str(rtl),
        replay_file=str(file),
    )


def replay(file: str | Path, rtl: str | Path | None = None, waves: str | Path | None = None) -> Run:
    """Play the file's sequence on the present RTL; returns if every result is right.

    Args:
        file: what a failing search wrote.
        rtl: folder of the SystemVerilog; None: the repository's own.
        waves: VCD file to write, with the failing cycle marked if there is one; None: none.

    Raises:
        RtlMismatch: it fails (again).
        FileNotFoundError, ValueError: see `replay_job`.
        SimulationError, ToolMissing, BuildError: see `simulate`.
    """
    job = replay_job(file, rtl)
    return simulate(job) if waves is None else simulate_with_waves(job, Path(waves))
