"""Waves of a failure: the run once more with every signal in a VCD, and the failing cycle marked in it.

The mark is in the waves themselves, a signal `failure.failing_cycle` that rises where the inputs of the
failing cycle are driven, so that every viewer shows it; a GTKWave save file beside them opens the unit's
signals with the marker at that time.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.runner import Run, simulate

SETTLE_NS = 1.0  # the benches drive the inputs so long before they look at the outputs
MARK = "failing_cycle"
SAVE_SUFFIX = ".gtkw"
_MARK_CODE = "fpsim|mark"  # no identifier of Verilator's is so long
_UNITS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0, "ps": 1e-3, "fs": 1e-6}


@dataclass(frozen=True)
class Waves:
    """Waves of a run that failed.

    Attributes:
        vcd: every signal of every module, with the mark.
        save: GTKWave save file.
        time_ns: simulated time of the failure.
        cycle: the cycle that the message names.
        message: of the failure.
    """

    vcd: Path
    save: Path
    time_ns: float
    cycle: int
    message: str


def waves_of_failure(job: Job, kind: str, folder: str | Path, cache: Path | None = None) -> Waves:
    """Run what failed once more, with waves: the file of the sequence if there is one, else kind and seed.

    Args:
        job: what failed.
        kind: its kind of vectors that failed.
        folder: where the waves go; made if it is missing.
        cache: where builds are kept; None: `build.cache_folder()`.

    Raises:
        ValueError: it passes.
        SimulationError, ToolMissing, BuildError: see `simulate`.
    """
    again = replace(job, kinds=(kind,), golden=job.golden if kind == "golden" else None)  # type: ignore[arg-type]
    if kind == "sequences" and again.replay_file is None and again.sequence_file.is_file():
        again = replace(again, replay_file=str(again.sequence_file))
    vcd = Path(folder, f"{job.unit_name}-{kind}-seed{job.seed}.vcd")
    try:
        simulate_with_waves(again, vcd, cache)
    except RtlMismatch as mismatch:
        save = vcd.with_suffix(SAVE_SUFFIX)
        return Waves(vcd, save, mismatch.time_ns, mismatch.cycle, str(mismatch))
    vcd.unlink(missing_ok=True)
    raise ValueError(f"{job.unit.top}: {kind} with seed {job.seed} passes: no failure to show")


def simulate_with_waves(job: Job, vcd: Path, cache: Path | None = None) -> Run:
    """`simulate` a job with its waves in a file; of a failure with the mark, and a save file beside it."""
    try:
        return simulate(job, cache, waves=vcd)
    except RtlMismatch as mismatch:
        mark_failure(vcd, mismatch.time_ns)
        write_save_file(vcd, mismatch.time_ns, job.unit.top)
        raise


def mark_failure(vcd: Path, time_ns: float) -> None:
    """Put the mark into a VCD file, which is replaced whole.

    Args:
        vcd: what the simulator wrote, in order of time.
        time_ns: when the outputs were found wrong.

    Raises:
        ValueError: it is no VCD file.
    """
    with tempfile.TemporaryDirectory(prefix=f".{vcd.name}.", dir=vcd.parent) as name:
        marked = Path(name, vcd.name)
        with vcd.open(encoding="utf-8") as source, marked.open("w", encoding="utf-8") as target:
            target.writelines(_marked(source, time_ns, vcd))
        marked.replace(vcd)


def _marked(lines: Iterable[str], time_ns: float, vcd: Path) -> Iterator[str]:
    """The lines with the mark: its declaration, 0 at first, 1 from the failing cycle on, and an end."""
    unit, last = 0.0, -1
    rise = end = 0
    for line in lines:
        found = re.search(r"\$timescale\s+(\d+)\s*(\w+)", line)
        if found:
            unit = int(found[1]) * _UNITS[found[2]]
            rise, end = round((time_ns - SETTLE_NS) / unit), round((time_ns + SETTLE_NS) / unit)
        if "$enddefinitions" in line:
            yield f"$scope module failure $end\n$var wire 1 {_MARK_CODE} {MARK} $end\n$upscope $end\n"
        if line.startswith("#"):
            time = int(line[1:])
            if last < rise < time:
                yield f"#{rise}\n1{_MARK_CODE}\n"
            first, last = last < 0, time
            yield line
            if first and time != rise:
                yield f"0{_MARK_CODE}\n"
            if time == rise:
                yield f"1{_MARK_CODE}\n"
        else:
            yield line
    if not unit or last < 0:
        raise ValueError(f"{str(vcd)!r}: no VCD file: no timescale, or no times")
    if last < rise:
        yield f"#{rise}\n1{_MARK_CODE}\n"
    yield f"#{max(end, last + 1)}\n"


def write_save_file(vcd: Path, time_ns: float, top: str) -> Path:
    """A GTKWave save file beside a VCD file: the mark and the signals of a module, the marker at a time.

    Returns:
        Its path.

    Raises:
        ValueError: the VCD file has no such module.
    """
    unit, ports = _ports(vcd, top)
    marker = round(time_ns / unit)
    lines = [
        f'[dumpfile] "{vcd.name}"',
        f"[timestart] {max(marker - round(40 / unit), 0)}",
        f"*-{len(str(round(4 / unit))) * 3:.6f} {marker} {' '.join(['-1'] * 26)}",
        f"[treeopen] {top}.",
        "@28",
        f"failure.{MARK}",
        *ports,
    ]
    save = vcd.with_suffix(SAVE_SUFFIX)
    save.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return save


def _ports(vcd: Path, top: str) -> tuple[float, list[str]]:
    """The unit of time in ns, and what lies directly in a module, as GTKWave names it."""
    scopes: list[str] = []
    ports: list[str] = []
    unit = 1.0
    with vcd.open(encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if words[:1] == ["$timescale"]:
                found = re.match(r"(\d+)\s*(\w+)", " ".join(words[1:]))
                assert found
                unit = int(found[1]) * _UNITS[found[2]]
            elif words[:1] == ["$scope"]:
                scopes.append(words[2])
            elif words[:1] == ["$upscope"]:
                scopes.pop()
            elif words[:1] == ["$var"] and scopes and scopes[-1] == top and not words[4].isupper():
                ports.append(".".join([*scopes, "".join(words[4:-1])]))
            elif words[:1] == ["$enddefinitions"]:
                break
    if not ports:
        raise ValueError(f"{str(vcd)!r}: no module {top!r}")
    return unit, ports
