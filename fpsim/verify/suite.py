"""Every unit's RTL against law and golden sets: what the demo, the command line and the tests call."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.vectors.golden_set import GoldenSet
from fpsim.vectors.golden_set import read as read_golden
from fpsim.verify.build import BuildError
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.runner import Run, SimulationError, simulate
from fpsim.verify.toolchain import check_tools
from fpsim.verify.units import UNIT_NAMES
from fpsim.verify.waves import waves_of_failure

RTL_CONFIG = ArrayConfig(rows=8, cols=8)
# Longest builds first, so that two cores finish together.
_ORDER = (
    "wide_epilogue",
    "epilogue",
    "wide_quantizer",
    "hadamard_outer",
    "align",
    "mac_array",
    "mac_float",
    "mac",
    "dot_mx",
    "dot_nvfp4",
    "quantizer",
    "hadamard",
    "amax",
    "row_scale",
    "zero_correction",
    "zero_point",
    "range",
    "row_sum",
    "group_registers",
    "mul",
    "lfsr",
    "decode",
    "fifo",
    "skid",
)
_PARALLEL = 2
Progress = Callable[[str, int, int], None]
Failed = tuple[Job, str]  # what failed, and the kind of vectors that did


@dataclass(frozen=True)
class UnitResult:
    """What the simulator said about one unit.

    Attributes:
        unit: the unit's name; the module is `fpsim_<unit>`.
        passed: every compared bit was right.
        vectors: results compared, by kind (golden, exhaustive, random): one for each lane of each output
            beat; of a run that failed, those of the runs before it.
        cycles: clock cycles simulated (combinational units: steps).
        build_seconds: spent on building; 0 where the build was there already.
        run_seconds: spent in the simulator.
        simulator: its name and version.
        message: what failed; empty where nothing did.
        replay: file of a sequence that fails, the shortest that was found; empty where there is none.
        waves: VCD file of the first failure of all, the failing cycle marked; empty of the others.
    """

    unit: str
    passed: bool = True
    vectors: dict[str, int] = field(default_factory=dict)
    cycles: int = 0
    build_seconds: float = 0.0
    run_seconds: float = 0.0
    simulator: str = ""
    message: str = ""
    replay: str = ""
    waves: str = ""

    @property
    def seconds(self) -> float:
        """Building and running."""
        return self.build_seconds + self.run_seconds

    def with_run(self, run: Run) -> UnitResult:
        """This result and one more run."""
        return replace(
            self,
            vectors=dict(Counter(self.vectors) + Counter(run.vectors)),
            cycles=self.cycles + run.cycles,
            build_seconds=self.build_seconds + run.build_seconds,
            run_seconds=self.run_seconds + run.run_seconds,
        )


def run_suite(
    config: ArrayConfig,
    golden_dirs: Iterable[str | Path] = (),
    *,
    units: Sequence[str] | None = None,
    seed: int = 0,
    quick: bool = False,
    rtl: str | Path | None = None,
    progress: Progress = lambda what, done, total: None,
    failures: str | Path | None = None,
) -> list[UnitResult]:
    """Check units in the simulator, two at a time.

    Args:
        config: what the units are built with for exhaustive and random vectors. `RTL_CONFIG` is a size that
            builds and runs in seconds.
        golden_dirs: folders of golden sets; each runs in the configuration that it was made for. Sets of
            other units, and sets of whole layers, which no unit computes alone, are left out.
        units: names; None: all.
        seed: seed of everything random.
        quick: fewer vectors.
        rtl: folder of the SystemVerilog; None: the repository's own.
        progress: called with (what, units done, units in all).
        failures: folder; then Hypothesis searches sequences for every unit too, one that fails is kept there,
            and the first failure is run again for its waves. None: no search, nothing is kept.

    Returns:
        One result per unit, in the order of `UNIT_NAMES`. A failing unit is a result, not an exception.

    Raises:
        ToolMissing: a tool is not installed.
        ValueError, FileNotFoundError: an unknown unit, a folder that is no golden set.
    """
    names = UNIT_NAMES if units is None else tuple(units)
    unknown = [name for name in names if name not in UNIT_NAMES]
    if unknown:
        raise ValueError(f"units: {unknown[0]!r}: expected some of {', '.join(UNIT_NAMES)}")
    tools = check_tools()
    sets = read_sets(golden_dirs)
    template = Job(UNIT_NAMES[0], config, seed=seed, quick=quick, rtl=None if rtl is None else str(rtl))
    if failures is not None:
        template = replace(template, kinds=(*template.kinds, "sequences"), failures=str(failures))
    jobs = {
        name: jobs_of(replace(template, unit_name=name), sets) for name in sorted(names, key=_ORDER.index)
    }
    results: dict[str, UnitResult] = {}
    failed: dict[str, Failed] = {}
    what = f"units in {tools.simulator}"
    progress(what, 0, len(jobs))
    with ThreadPoolExecutor(max_workers=min(_PARALLEL, os.cpu_count() or 1)) as pool:
        pending = [pool.submit(_check, todo, tools.simulator) for todo in jobs.values()]
        for future in as_completed(pending):
            result, again = future.result()
            results[result.unit] = result
            if again is not None:
                failed[result.unit] = again
            progress(what, len(results), len(jobs))
    ordered = [results[name] for name in UNIT_NAMES if name in results]
    return ordered if failures is None else _with_waves(ordered, failed)


def _with_waves(results: list[UnitResult], failed: dict[str, Failed]) -> list[UnitResult]:
    """The results, the first that differed from its law with its waves and its file."""
    for index, result in enumerate(results):
        if result.unit in failed:
            job, kind = failed[result.unit]
            waves = str(waves_of_failure(job, kind, job.failures).vcd)
            return [*results[:index], replace(result, waves=waves), *results[index + 1 :]]
    return results


def read_sets(folders: Iterable[str | Path]) -> list[tuple[str, GoldenSet]]:
    """Golden sets, each with its folder.

    Raises:
        ValueError, FileNotFoundError: a folder that is no golden set.
    """
    return [(str(folder), read_golden(folder)) for folder in folders]


def jobs_of(base: Job, sets: Sequence[tuple[str, GoldenSet]]) -> list[Job]:
    """The job and one for each golden set of its unit; the first set that fits rides along."""
    jobs = [base]
    for folder, golden in sets:
        if golden.unit != base.unit_name:
            continue
        if golden.config == base.config and jobs[0].golden is None:
            jobs[0] = replace(base, kinds=("golden", *base.kinds), golden=folder)
        else:
            jobs.append(replace(base, config=golden.config, kinds=("golden",), golden=folder))
    return jobs


def _check(jobs: list[Job], simulator: str) -> tuple[UnitResult, Failed | None]:
    """The unit's result, and what to run again where RTL and law differ."""
    result = UnitResult(jobs[0].unit_name, simulator=simulator)
    for job in jobs:
        try:
            result = result.with_run(simulate(job))
        except RtlMismatch as error:
            kind = "sequences" if error.sequence else error.kind
            return replace(result, passed=False, message=str(error), replay=error.sequence), (job, kind)
        except (SimulationError, BuildError) as error:
            return replace(result, passed=False, message=str(error)), None
    return result, None
