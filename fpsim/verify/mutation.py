"""How good the benches are: alter the RTL in many places and see which alterations they notice.

Every mutant runs with quick vectors first. The solver takes out of the survivors those that compute the same
in every state; the others run with all vectors. What still survives is proved equivalent in the states that
come, or is a hole in the bench.

The scores of the repository's own RTL are kept beside it (`rtl/mutation`). Their key holds the unit's RTL and
parameters, and nothing of benches or tools: a bench that was changed since might kill less, a run anew tells.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fpsim.array.config import ArrayConfig
from fpsim.verify.build import Build, build, cache_folder
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.job import Job
from fpsim.verify.mutant_proof import (
    CYCLES,
    differs_from_reset,
    is_equivalent,
    is_equivalent_by_a_lemma,
)
from fpsim.verify.mutants import MODES, Mutant, Mutated, mutate
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.runner import SimulationError, start_bench
from fpsim.verify.smt import smt_version
from fpsim.verify.toolchain import check_tools
from fpsim.verify.units import Unit, unit
from fpsim.verify.yosys import yosys_version

BENCH = "fpsim.verify.benches.mutants_tests"
ORDER_FILE, DONE_FILE = "order.json", "done.jsonl"  # as the bench has them; it imports cocotb, this must not
SCORES = "mutation"  # folder of the repository's scores, beside the RTL
Status = Literal["killed", "equivalent", "survived", "undecided"]
_WORD = re.compile(r"\w+")
# A constant or a function of a package, with its name.
_PART = re.compile(
    r"(localparam [^=;]*?\b(\w+) = [^;]*;|function automatic [^;]*?(\w+)\([^;]*;.*?endfunction)"
)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MutantResult:
    """What became of one mutant.

    Attributes:
        number, mode, place, source: of the mutant (`fpsim.verify.mutants.Mutant`).
        status: killed by the bench; proved equivalent; survived although it differs (a hole in the bench);
            undecided, where bench and solver both found no difference and no proof.
        by: kind of vectors that killed it ("quick" before it where those did), or what the solver did.
        seconds: of the run that decided.
    """

    number: int
    mode: str
    place: str
    source: str
    status: Status
    by: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class MutationScore:
    """All mutants of one unit.

    Attributes:
        unit: its name.
        key: of the RTL and its parameters, and of what chose the places (`score_key`).
        count: mutants asked for; a small unit may have fewer places.
        seed: that chose the places.
        tools: name and version of those that made, ran and judged the mutants.
        results: one per mutant.
        seconds: wall time, the build included.
    """

    unit: str
    key: str
    count: int
    seed: int
    tools: tuple[str, ...]
    results: tuple[MutantResult, ...]
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not self.results:
            raise ValueError(f"results=(): a score of {self.unit} needs a mutant at least")

    @property
    def counts(self) -> dict[str, int]:
        """Mutants by status."""
        return dict(Counter(result.status for result in self.results))

    @property
    def score(self) -> float:
        """Killed mutants over those that are not proved equivalent; 1.0 where every one is proved."""
        judged = [result for result in self.results if result.status != "equivalent"]
        return sum(result.status == "killed" for result in judged) / len(judged) if judged else 1.0

    @property
    def holes(self) -> tuple[MutantResult, ...]:
        """Mutants that the bench let pass and that no proof excuses."""
        return tuple(result for result in self.results if result.status in ("survived", "undecided"))

    def write(self, path: Path) -> None:
        """Write as JSON, a line per mutant, whole or not at all."""
        data = asdict(self)
        rows = ",\n".join("  " + json.dumps(result) for result in data.pop("results"))
        head = json.dumps(data, indent=1)[:-2]
        staging = path.with_suffix(".part")
        staging.write_text(f'{head},\n "results": [\n{rows}\n ]\n}}\n', encoding="utf-8")
        staging.replace(path)

    @classmethod
    def read(cls, path: Path) -> MutationScore:
        """The score that `write` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        results = tuple(MutantResult(**result) for result in data.pop("results"))
        return cls(**{**data, "tools": tuple(data["tools"])}, results=results)


def run_mutation(
    units: Sequence[str],
    *,
    count: int = 100,
    seed: int = 1,
    config: ArrayConfig = FAULT_CONFIG,
    results: Path | None = None,
    rtl: Path | None = None,
    progress: Progress = lambda what, done, total: None,
) -> list[MutationScore]:
    """Score the benches of units.

    Args:
        units: names.
        count: mutants of each; small units may have fewer places.
        seed: chooses the places.
        config: what the units are built with; small, since every mutant is in one netlist.
        results: folder for a JSON file per unit; a file there whose key fits is taken as it is. None: no
            files.
        rtl: folder of the SystemVerilog; None: the repository's own.
        progress: called with (what, units done, units in all).

    Returns:
        One score per unit. Surviving mutants are results, not exceptions.

    Raises:
        ValueError: an unknown unit, a count out of range.
        ToolMissing, YosysError, BuildError, SimulationError: the tools broke down, or the bench fails on the
            unit without a mutation.
    """
    scores = []
    for done, name in enumerate(units):
        progress(f"mutants of {name}", done, len(units))
        scores.append(score_unit(name, count, seed, config, results, rtl or default_rtl_folder()))
    progress("mutants", len(units), len(units))
    return scores


def score_unit(
    name: str, count: int, seed: int, config: ArrayConfig, results: Path | None, rtl: Path
) -> MutationScore:
    """The score of one unit's bench; see `run_mutation`."""
    start = time.perf_counter()
    job = Job(name, config, seed=seed, quick=True, rtl=str(rtl))
    job = replace(job, kinds=tuple(kind for kind in job.unit.kinds if kind != "golden"))
    key = score_key(job.unit, count, seed, rtl)
    file = results / f"{name}.json" if results else None
    if file and file.is_file() and (known := MutationScore.read(file)).key == key:
        return known
    tools = (yosys_version(), smt_version(), check_tools().simulator)
    with tempfile.TemporaryDirectory(prefix="fpsim-mutants-") as folder:
        mutated = mutate(job.unit, count, seed, rtl, Path(folder))
        found = _judge(mutated, job, _kept_build(mutated))
    score = MutationScore(name, key, count, seed, tools, found, round(time.perf_counter() - start, 1))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        score.write(file)
    return score


def kept_score(name: str, rtl: Path | None = None) -> MutationScore | None:
    """The score of a unit that lies beside the repository's RTL, if it is one of this RTL."""
    file = default_rtl_folder() / SCORES / f"{name}.json"
    if not file.is_file():
        return None
    score = MutationScore.read(file)
    return score if score.key == score_key(unit(name, FAULT_CONFIG), score.count, score.seed, rtl) else None


def score_key(unit: Unit, count: int, seed: int, rtl: Path | None = None) -> str:
    """Key of a score: of the unit's RTL without its comments, its parameters, and what chose the places.

    Of the packages only what the unit uses is in it. Not in it: benches, tools, and the lines that results
    name.
    """
    texts = {file.name: _code(file) for file in sources(unit.top, rtl or default_rtl_folder())}
    packages = {name for name in texts if name.endswith("_pkg.sv")}
    used = set(_WORD.findall(" ".join(text for name, text in texts.items() if name not in packages)))
    parts = [part for name in sorted(packages) for part in _PART.findall(texts[name])]
    kept: list[str] = []
    for text, constant, function in reversed(parts):  # what a part uses is defined before it
        if (constant or function) in used:
            kept.append(text)
            used |= set(_WORD.findall(text))
    made_of = {
        "parameters": unit.parameters,
        "count": count,
        "modes": MODES,
        "seed": seed,
        "sources": {name: text for name, text in texts.items() if name not in packages},
        "packages": kept,
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def _code(file: Path) -> str:
    return " ".join(re.sub(r"//.*", "", file.read_text(encoding="utf-8")).split())


def _kept_build(mutated: Mutated) -> Build:
    # A netlist of mutants is of use to nobody else: beside the other builds, removed once it was run.
    cache = cache_folder() / "mutants"
    return build(mutated.buildable, mutated.folder, cache)


def _judge(mutated: Mutated, job: Job, built: Build) -> tuple[MutantResult, ...]:
    every = {mutant.number: mutant for mutant in mutated.mutants}
    try:
        found = {result.number: result for result in _run(every, [0, *every], job, built, "quick ")}
        left = [number for number in every if number not in found]
        for number in left:
            start = time.perf_counter()
            if how := is_equivalent(mutated, number, deep=False):
                found[number] = _result(every[number], "equivalent", how, time.perf_counter() - start)
        left = [number for number in left if number not in found]
        full = replace(job, quick=False)
        found |= {result.number: result for result in _run(every, left, full, built, "")}
    finally:
        shutil.rmtree(built.folder, ignore_errors=True)
    for number in every:
        if number not in found:
            found[number] = _decide(mutated, every[number])
    return tuple(found[number] for number in every)


def _decide(mutated: Mutated, mutant: Mutant) -> MutantResult:
    start = time.perf_counter()
    if how := is_equivalent_by_a_lemma(mutated, mutant.number):
        return _result(mutant, "equivalent", how, time.perf_counter() - start)
    if cycles := differs_from_reset(mutated, mutant.number):
        how = f"the solver found inputs, at most {cycles} cycles from reset"
        return _result(mutant, "survived", how, time.perf_counter() - start)
    if how := is_equivalent(mutated, mutant.number):
        return _result(mutant, "equivalent", how, time.perf_counter() - start)
    how = f"no difference found within {CYCLES} cycles from reset, no proof of none"
    return _result(mutant, "undecided", how, time.perf_counter() - start)


def _result(mutant: Mutant, status: Status, by: str, seconds: float) -> MutantResult:
    return MutantResult(
        mutant.number, mutant.mode, mutant.place, mutant.source, status, by, round(seconds, 3)
    )


def _run(
    every: dict[int, Mutant], numbers: Iterable[int], job: Job, built: Build, prefix: str
) -> list[MutantResult]:
    """The killed ones of these mutants. A mutant that ends the simulator is killed, and the rest run on."""
    killed: list[MutantResult] = []
    left = list(numbers)
    while left:
        lines, ended = _simulate(left, job, built)
        for line in lines:
            if line["killed_by"] and line["number"] == 0:
                raise SimulationError(f"{job.unit.top}: its netlist fails unaltered: {line['message']}")
            if line["killed_by"]:
                mutant, by = every[line["number"]], f"{prefix}{line['killed_by']}"
                killed.append(_result(mutant, "killed", by, line["seconds"]))
        left = left[len(lines) :]
        if left:
            if left[0] == 0:
                raise SimulationError(f"{job.unit.top}: its netlist does not run unaltered: {ended}")
            killed.append(_result(every[left.pop(0)], "killed", f"{prefix}simulator", 0.0))
    return killed


def _simulate(numbers: Sequence[int], job: Job, built: Build) -> tuple[list[dict[str, Any]], str]:
    with tempfile.TemporaryDirectory(prefix="fpsim-") as name:
        folder = Path(name)
        job.write(folder / "job.json")
        (folder / ORDER_FILE).write_text(json.dumps(list(numbers)), encoding="utf-8")
        ended = start_bench(job, built, folder, BENCH, ["mutants"])
        file = folder / DONE_FILE
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        return [json.loads(line) for line in lines], ended or "the bench broke down"
