"""Everything that is checked of the RTL, in one run: what a team looks at before it lets a design go.

Each stage is a list of tasks, each task one check; two run at a time. A check that could not run is no pass.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.verify.build import BuildError
from fpsim.verify.check import STAGES, Check, Stage
from fpsim.verify.covergroup import CoverageError
from fpsim.verify.job import FAILURES_FOLDER
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import SimulationError
from fpsim.verify.signoff_tasks import FAILING_KIND, TASKS, Plan, Task
from fpsim.verify.suite import RTL_CONFIG, read_sets
from fpsim.verify.toolchain import ToolMissing, check_tools
from fpsim.verify.units import UNIT_NAMES
from fpsim.verify.waves import waves_of_failure
from fpsim.verify.yosys import YosysError

PARALLEL = 2
UNITS = (*UNIT_NAMES, "top")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SignOff:
    """What a run found out.

    Attributes:
        checks: in the order of `STAGES`, then of the tasks.
        modules: unit to the RTL modules that it is made of.
        tools: name to version.
        quick: fewer vectors, and no proof that takes long.
        seconds: wall time.
    """

    checks: tuple[Check, ...]
    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    quick: bool = False
    seconds: float = 0.0

    @property
    def signed_off(self) -> bool:
        """A whole run over every unit and stage, in which every check passed."""
        whole = not self.quick and set(self.modules) == set(UNITS)
        stages = {check.stage for check in self.checks}
        return whole and stages == set(STAGES) and all(check.passed for check in self.checks)

    @property
    def counts(self) -> dict[str, int]:
        """Checks by verdict."""
        return dict(Counter(check.verdict for check in self.checks))

    def of(self, stage: Stage, unit: str) -> list[Check]:
        """The checks of a stage that are about a unit or about a module of it."""
        about = {unit, *self.modules.get(unit, ())}
        return [check for check in self.checks if check.stage == stage and check.subject in about]


def check_names(stages: Sequence[str], units: Sequence[str] | None) -> None:
    """Raise ValueError for a stage or a unit that there is not, and for no stage or unit at all."""
    for name, given, legal in (
        ("stages", stages, STAGES),
        ("units", UNITS if units is None else units, UNITS),
    ):
        if not given or any(word not in legal for word in given):
            raise ValueError(f"{name}={list(given)!r}: expected some of {', '.join(legal)}")


def run_signoff(
    config: ArrayConfig = RTL_CONFIG,
    golden_dirs: Iterable[str | Path] = (),
    *,
    stages: Sequence[str] = STAGES,
    units: Sequence[str] | None = None,
    seed: int = 0,
    quick: bool = False,
    rtl: Path | None = None,
    failures: Path = Path(FAILURES_FOLDER),
    progress: Progress = lambda what, done, total: None,
) -> SignOff:
    """Run stages over units.

    Args:
        config: what the units are built with for the simulation; the other stages take small sizes.
        golden_dirs: folders of golden sets, checked with their units' other vectors.
        stages: which; signed off is only who passed all.
        units: names of units, "top" among them; None: all.
        seed: seed of everything random.
        quick: fewer vectors, and no proof that takes long.
        rtl: folder of the SystemVerilog; None: the repository's own.
        failures: folder for the shortest sequence of each unit that fails, and for the first one's waves.
        progress: called with (stage, its checks done, its checks in all).

    Raises:
        ValueError, FileNotFoundError: an unknown stage or unit, a folder that is no golden set.
        ToolMissing: the simulator is not installed. Another missing tool is a check that was not run.
    """
    check_names(stages, units)
    tools = check_tools()
    folder = default_rtl_folder() if rtl is None else rtl
    plan = Plan(
        config,
        UNITS if units is None else tuple(units),
        read_sets(golden_dirs),
        seed,
        quick,
        folder,
        str(failures),
    )
    start = time.perf_counter()
    tasks = [task for stage in STAGES if stage in stages for task in TASKS[stage](plan)]
    checks = _with_waves(tasks, _run(tasks, progress))
    modules = {name: plan.modules(name) for name in plan.units}
    return SignOff(checks, modules, dict(tools.versions), quick, time.perf_counter() - start)


def _run(tasks: Sequence[Task], progress: Progress) -> tuple[Check, ...]:
    checks: dict[int, Check] = {}
    todo, done = Counter(task.stage for task in tasks), Counter[Stage]()
    for stage, count in todo.items():
        progress(stage, 0, count)
    with ThreadPoolExecutor(min(PARALLEL, os.cpu_count() or 1)) as pool:
        pending = {pool.submit(_one, task): index for index, task in enumerate(tasks)}
        try:
            for future in as_completed(pending):
                checks[pending[future]] = check = future.result()
                done[check.stage] += 1
                progress(check.stage, done[check.stage], todo[check.stage])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(checks[index] for index in range(len(tasks)))


def _with_waves(tasks: Sequence[Task], checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks, the first one that differed from its law with the file of its waves."""
    for index, (task, check) in enumerate(zip(tasks, checks, strict=True)):
        if task.job is not None and FAILING_KIND in check.figures:
            kind = str(check.figures[FAILING_KIND])
            waves = waves_of_failure(task.job, kind, task.job.failures)
            told = replace(check, figures={**check.figures, "waves": str(waves.vcd)})
            return (*checks[:index], told, *checks[index + 1 :])
    return checks


def _one(task: Task) -> Check:
    """The task's check; what its tools could not do is a failed one, a tool that is not there one not run."""
    start = time.perf_counter()
    check = Check(task.stage, task.subject, task.name, "failed")
    try:
        check = task.run(check)
    except ToolMissing as error:
        check = replace(check, verdict="not run", message=str(error))
    except (RtlMismatch, CoverageError, SimulationError, BuildError, YosysError) as error:
        check = replace(check, message=str(error))
    return replace(check, seconds=round(time.perf_counter() - start, 2))
