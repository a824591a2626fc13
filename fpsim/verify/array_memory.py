"""Millions of MACs through the array's RTL: tiles out of a memory, every row compared with another one.

The kernel gives the rows that must come, numpy writes both memories as files, and the simulator reads, runs
and compares without a call into Python. The plain bench, pin by pin, runs beside it to be measured against.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.kernels.mac_array import mac_array
from fpsim.verify.build import Build, build
from fpsim.verify.job import Job
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import raise_failures, read_counts, simulate, start_bench
from fpsim.verify.wrapper_units import MEMORY_BEATS, MEMORY_ROWS

WRAPPERS = Path(__file__).parent / "wrappers"
BENCH = "fpsim.verify.benches.array_memory_tests"
PLAIN_BENCH = "fpsim.verify.benches.array_plain_tests"
VERILATOR_ARGS = ("--timing", "--timescale", "1ns/1ps", "--x-assign", "fast", "--x-initial", "fast")
OPTIMIZE = "-O2"


@dataclass(frozen=True)
class ArrayRun:
    """One run of the array.

    Attributes:
        macs: products added up, all of them compared.
        cycles: clock cycles simulated.
        build_seconds: spent on building; 0 where the build was there already.
        prepare_seconds: of the processor, for codes, rows that must come, files; 0 where the run includes it.
        run_seconds: from the first beat to the last row compared.
        cpu_seconds: of the processor in that time.
        peak_bytes: memory of the simulator's process at its peak.
    """

    macs: int
    cycles: int
    build_seconds: float
    prepare_seconds: float
    run_seconds: float
    cpu_seconds: float
    peak_bytes: int

    @property
    def rate(self) -> float:
        """MACs per second of processor time, preparation included."""
        return self.macs / (self.cpu_seconds + self.prepare_seconds)


def run_memory(
    config: ArrayConfig,
    tiles: int,
    depth: int,
    *,
    seed: int = 0,
    rtl: str | Path | None = None,
    cache: Path | None = None,
) -> ArrayRun:
    """Random tiles, back to back, out of the memory; returns only if every row was right.

    Args:
        config: the array.
        tiles: how many.
        depth: beats of each.
        seed: of codes and formats.
        rtl: folder of the SystemVerilog; None: the repository's own.
        cache: where builds are kept; None: `build.cache_folder()`.

    Raises:
        ValueError: more beats or rows than the memories hold.
        RtlMismatch: a row differs.
        SimulationError, ToolMissing, BuildError: see `fpsim.verify.runner.simulate`.
    """
    _check("tiles", tiles, min(MEMORY_ROWS // config.rows, MEMORY_BEATS // max(depth, 1)))
    _check("depth", depth, MEMORY_BEATS)
    source = default_rtl_folder() if rtl is None else Path(rtl)
    with tempfile.TemporaryDirectory(prefix="fpsim-array-") as name:
        folder, copies = Path(name), Path(name, "rtl")
        copies.mkdir()
        for file in [*source.glob("*.sv"), *WRAPPERS.glob("*.sv")]:
            shutil.copy(file, copies)
        job = Job("array_memory", config, kinds=("random",), seed=seed)
        built = build(job.unit, copies, cache, extra=VERILATOR_ARGS, optimize=OPTIMIZE)
        write_memories(folder, config, 1, 1, seed)  # the kernel is compiled now
        start = time.process_time()
        write_memories(folder, config, tiles, depth, seed)
        prepared = time.process_time() - start
        counts = _run(job, built, folder, tiles * depth, tiles * config.rows)
    measured = counts["measured"]
    return ArrayRun(
        tiles * depth * config.rows * config.cols,
        counts["cycles"],
        built.seconds,
        prepared,
        measured["microseconds"] / 1e6,
        measured["cpu_microseconds"] / 1e6,
        measured["peak_bytes"],
    )


def run_plain(config: ArrayConfig, *, seed: int = 0, cache: Path | None = None) -> ArrayRun:
    """A few tiles through the array's own bench, which drives and reads every pin in every cycle.

    Raises:
        RtlMismatch, SimulationError, ToolMissing, BuildError: see `fpsim.verify.runner.simulate`.
    """
    job = Job("mac_array", config, kinds=("random",), seed=seed)
    run = simulate(job, cache, bench=PLAIN_BENCH)
    seconds, cpu, peak = (run.measured[key] for key in ("microseconds", "cpu_microseconds", "peak_bytes"))
    macs = run.measured["beats"] * config.rows * config.cols
    return ArrayRun(macs, run.cycles, run.build_seconds, 0.0, seconds / 1e6, cpu / 1e6, peak)


def _run(job: Job, built: Build, folder: Path, beats: int, rows: int) -> dict[str, Any]:
    """Start the bench; what it counted."""
    job.write(folder / "job.json")
    files = [f"+{name}={folder / name}.hex" for name in ("beats", "rows")]
    lines = [f"+lines={beats},{rows}"]
    ended = start_bench(job, built, folder, BENCH, job.kinds, [*files, *lines])
    raise_failures(job, folder, ended)
    return read_counts(folder, job.kinds, job)["random"]


def write_memories(folder: Path, config: ArrayConfig, tiles: int, depth: int, seed: int) -> None:
    """Both memories as files for `$readmemh`: what goes in, and what must come.

    Args:
        folder: where beats.hex and rows.hex go.
        config: the array.
        tiles, depth: their number and their beats.
        seed: of codes and formats.
    """
    rng = np.random.default_rng([seed, config.rows, config.cols, tiles, depth])
    names = rng.choice(config.unit.formats, 2)
    a = rng.integers(0, 16, (tiles, config.rows, depth), np.uint8)
    b = rng.integers(0, 16, (tiles, config.cols, depth), np.uint8)
    unit = config.unit
    sums = [
        mac_array(left, right, names[0], names[1], unit.acc_bits, unit.overflow)
        for left, right in zip(a, b, strict=True)
    ]
    index = np.arange(depth)
    marks = np.broadcast_to((index == 0) << 4 | (index == depth - 1) << 2, (tiles, depth))
    a_fmt, b_fmt = (OPERAND_FORMATS.index(name) for name in names)
    control = marks | (a_fmt << 2 | b_fmt) << 5
    beats = [_bits(x.swapaxes(1, 2).reshape(tiles * depth, -1), 4) for x in (a, b)]
    (folder / "beats.hex").write_text(_hex([*beats, _bits(control.reshape(-1, 1), 9)]), encoding="ascii")
    rows = np.concatenate(sums)
    last = np.tile(np.arange(config.rows) == config.rows - 1, tiles)
    words = [_bits(rows, unit.acc_bits), _bits(last.reshape(-1, 1), 1)]
    (folder / "rows.hex").write_text(_hex(words), encoding="ascii")


def _bits(lanes: NDArray[np.generic], width: int) -> NDArray[np.uint8]:
    """(lines, lanes · width) bits, lane 0 and its lowest bit first."""
    wide = np.ascontiguousarray(lanes, "u1" if width <= 8 and lanes.dtype == np.uint8 else "<i8")
    octets = wide.view(np.uint8).reshape(*lanes.shape, -1)
    return np.unpackbits(octets, axis=2, count=width, bitorder="little").reshape(len(lanes), -1)


def _hex(parts: list[NDArray[np.uint8]]) -> str:
    """One word a line out of its bits, the first part lowest."""
    packed = np.packbits(np.concatenate(parts, axis=1), axis=1, bitorder="little")[:, ::-1]
    return packed.tobytes().hex("\n", -packed.shape[1]) + "\n"


def _check(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise ValueError(f"{name}={value}: expected 1 to {most}, as much as the memories hold")
