"""The checks of each stage of the sign-off, as tasks that fill in a `Check`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.vectors.golden_set import GoldenSet
from fpsim.verify.check import Check, Stage, Verdict
from fpsim.verify.coverage import run_coverage
from fpsim.verify.exclusions import POINT_KINDS
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.icarus import NOT_IN_ICARUS
from fpsim.verify.job import FAILURES_FOLDER, Job
from fpsim.verify.lint import LINT_SIZES, lint_cases, lint_with_verilator
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.mutation import kept_score, run_mutation
from fpsim.verify.netlist_proof import prove_netlist
from fpsim.verify.netlist_simulation import simulate_netlist
from fpsim.verify.proofs import PROOFS, check_proof
from fpsim.verify.rtl_files import sources
from fpsim.verify.runner import Simulator, simulate
from fpsim.verify.slang import lint_with_slang
from fpsim.verify.suite import jobs_of
from fpsim.verify.undecided import BY_HAND
from fpsim.verify.units import UNIT_NAMES, Kind, unit

TOP_CONFIG = ArrayConfig(4, 4, UnitConfig(hadamard_n=8))
# Units whose netlists run in their benches instead; the others are proved.
NETLIST_SIMULATED = ("dot_mx", "epilogue", "hadamard_outer", "wide_epilogue", "zero_correction")
NETLIST_REASONS = {
    **dict.fromkeys(NETLIST_SIMULATED, "the unit's bench runs on the netlist: no proof within two minutes"),
    "top": "neither proved nor run: its units are, one by one",
}
MUTANTS = 40  # of a unit whose score is made anew
NETLIST_FAULT = 1  # seed of the pin that a netlist has inverted in a proof that must fail
NETLIST_CONFIG = ArrayConfig(2, 2, UnitConfig(acc_bits=12, guard_bits=1, hadamard_n=2))
EVERY_MODULE = "all modules"
FAILING_KIND = "failing vectors"  # figure of a simulation that failed: their kind


@dataclass(frozen=True)
class Plan:
    """What a run is asked for: configuration, units, golden sets, seed, fewer vectors, folder of the RTL, and
    where sequences that fail go."""

    config: ArrayConfig
    units: tuple[str, ...]
    golden: list[tuple[str, GoldenSet]]
    seed: int
    quick: bool
    rtl: Path
    failures: str = FAILURES_FOLDER

    def modules(self, name: str) -> tuple[str, ...]:
        """The RTL modules that a unit is made of."""
        return tuple(file.stem for file in sources(f"fpsim_{name}", self.rtl))

    @property
    def all_modules(self) -> set[str]:
        """Those of all units of the plan."""
        return {module for name in self.units for module in self.modules(name)}


@dataclass(frozen=True)
class Task:
    """One check to come: `run` takes it as failed and returns it judged; `job` is what it simulates."""

    stage: Stage
    subject: str
    name: str
    run: Callable[[Check], Check]
    job: Job | None = None


def simulation(plan: Plan) -> list[Task]:
    """Every unit's bench in Verilator, and the golden sets of the unit."""

    def task(job: Job) -> Task:
        name = "bench" if job.golden is None else f"bench, {Path(job.golden).name}"
        return Task("simulation", job.unit_name, name, lambda check: _simulated(check, job), job)

    def base(name: str) -> Job:
        config = TOP_CONFIG if name == "top" else plan.config
        kinds: tuple[Kind, ...] = ("exhaustive", "random", "sequences")
        job = Job(name, config, kinds, seed=plan.seed, quick=plan.quick, rtl=str(plan.rtl))
        return replace(job, failures=plan.failures)

    return [task(job) for name in plan.units for job in jobs_of(base(name), plan.golden)]


def _simulated(check: Check, job: Job, simulator: Simulator = "verilator") -> Check:
    try:
        done = simulate(job, simulator=simulator)
    except RtlMismatch as error:
        kind = "sequences" if error.sequence else error.kind
        return replace(check, figures={FAILING_KIND: kind}, message=str(error))
    figures: dict[str, int | float | str] = {**done.vectors, "cycles": done.cycles}
    return replace(check, verdict="passed", figures={**figures, "simulator": done.simulator})


def icarus(plan: Plan) -> list[Task]:
    """The same benches on small sizes in a simulator of four-valued logic."""

    def task(name: str) -> Task:
        job = Job(name, FAULT_CONFIG, seed=plan.seed, quick=True, rtl=str(plan.rtl))
        return Task("icarus", name, "bench, small", lambda check: _simulated(check, job, "icarus"))

    return [task(name) for name in plan.units if name not in NOT_IN_ICARUS]


def coverage(plan: Plan) -> list[Task]:
    """What each bench reaches: lines, branches and functional bins must be all, toggles are reported."""

    def task(name: str) -> Task:
        def run(check: Check) -> Check:
            (found,) = run_coverage([name], quick=plan.quick, seed=plan.seed, rtl=plan.rtl)
            missing = [point for point in found.missing if point.kind != "toggle"]
            figures: dict[str, int | float | str] = {"excluded": found.excluded}
            for kind in POINT_KINDS:
                figures[kind], figures[f"{kind} points"] = found.covered[kind], found.total[kind]
            said = [f"{p.module}:{p.line}: {p.kind} {p.object} never reached" for p in missing]
            if found.functional is not None:
                bins = found.functional
                figures["functional"], figures["functional points"] = bins.hit, bins.total
                said += [f"bin never hit: {name}" for name in bins.missing]
            verdict: Verdict = "failed" if said else "passed"
            return replace(check, verdict=verdict, figures=figures, message="\n".join(said))

        return Task("coverage", name, "line, branch, functional", run)

    return [task(name) for name in plan.units]


def proof(plan: Plan) -> list[Task]:
    """Every proof with its twin; a quick run leaves out those that take long."""

    def task(name: str, module: str) -> Task:
        def run(check: Check) -> Check:
            done = check_proof(name, plan.rtl)
            sizes = ", ".join(f"{key}={value}" for key, value in done.proof.parameters.items())
            figures: dict[str, int | float | str] = {
                "claim": done.proof.claim,
                "sizes": sizes,
                "induction steps": done.result.steps,
                "verdict": done.result.verdict,
                "with a fault": done.twin.verdict,
            }
            said = "" if done.passed else f"{done.result.verdict}; with a fault: {done.twin.verdict}"
            said += f"\n{done.result.counterexample}" if done.result.counterexample else ""
            return replace(
                check, verdict="passed" if done.passed else "failed", figures=figures, message=said
            )

        return Task("proof", module, name, run)

    return [
        task(known.name, known.modules[0])
        for known in PROOFS
        if not (plan.quick and known.heavy) and plan.all_modules & set(known.modules)
    ]


def netlist(plan: Plan) -> list[Task]:
    """The gates that synthesis makes compute what the RTL computes, in a small size; with a pin inverted not.

    Proved, or where no proof is in reach the unit's own bench on its netlist.
    """

    def proved(name: str) -> Task:
        def run(check: Check) -> Check:
            done = prove_netlist(unit(name, NETLIST_CONFIG), plan.rtl)
            twin = (
                plan.quick
                or not prove_netlist(unit(name, NETLIST_CONFIG), plan.rtl, fault_seed=NETLIST_FAULT).equal
            )
            said = [] if done.passed else [f"not equal, one or more of {done.points} points"]
            said += [] if twin else ["a netlist with a pin inverted is proved equal, too"]
            return replace(
                check,
                verdict="failed" if said else "passed",
                figures={"points": done.points},
                message="; ".join(said),
            )

        return Task("netlist", name, "gates equal RTL, proved", run)

    def simulated(name: str) -> Task:
        job = Job(name, NETLIST_CONFIG, seed=plan.seed, quick=plan.quick, rtl=str(plan.rtl))

        def run(check: Check) -> Check:
            done = simulate_netlist(job)
            figures: dict[str, int | float | str] = {"gate results": sum(done.vectors.values())}
            if plan.quick:
                return replace(check, verdict="passed", figures=figures)
            try:
                simulate_netlist(replace(job, quick=True), fault_seed=NETLIST_FAULT)
            except RtlMismatch:
                return replace(check, verdict="passed", figures=figures)
            return replace(
                check, figures=figures, message="a netlist with a pin inverted passes the bench, too"
            )

        return Task("netlist", name, "gates in the unit's bench", run)

    names = [name for name in plan.units if name in UNIT_NAMES]
    return [simulated(name) if name in NETLIST_SIMULATED else proved(name) for name in names]


def mutation(plan: Plan) -> list[Task]:
    """What each bench notices of altered RTL: the kept score where it is of this RTL, else a new one.

    A mutant that nothing decides is named in the message; it fails the check unless it was judged by hand.
    """

    def task(name: str) -> Task:
        def run(check: Check) -> Check:
            score = kept_score(name, plan.rtl)
            if score is None and plan.quick:
                return replace(check, verdict="not run", message="no score of this RTL yet")
            if score is None:
                (score,) = run_mutation([name], count=MUTANTS, rtl=plan.rtl)
            known = {hole.number: BY_HAND.get((name, hole.number), "") for hole in score.holes}
            holes = [
                f"#{hole.number} {hole.mode} {hole.place}: {hole.by}. {known[hole.number]}"
                for hole in score.holes
            ]
            return replace(
                check,
                verdict="passed" if all(known.values()) else "failed",
                figures={**score.counts, "judged": len(score.results) - score.counts.get("equivalent", 0)},
                message="\n".join(holes),
            )

        return Task("mutation", name, "mutants", run)

    return [task(name) for name in plan.units if name in UNIT_NAMES]


def lint(plan: Plan) -> list[Task]:
    """Verilator module by module in several sizes, slang on everything."""

    def verilator(module: str) -> Task:
        def run(check: Check) -> Check:
            sizes = [{}, *LINT_SIZES.get(module, ())]
            said = [lint_with_verilator(module, parameters, plan.rtl) for parameters in sizes]
            text = "\n".join(filter(None, said))
            return replace(
                check, verdict="failed" if text else "passed", figures={"sizes": len(sizes)}, message=text
            )

        return Task("lint", module, "verilator -Wall", run)

    def slang(check: Check) -> Check:
        said = [f"{item.place}: {item.level}: {item.text}" for item in lint_with_slang(plan.rtl)]
        return replace(check, verdict="failed" if said else "passed", message="\n".join(said))

    wanted = plan.all_modules
    modules = [module for module, parameters in lint_cases(plan.rtl) if not parameters and module in wanted]
    return [*map(verilator, modules), Task("lint", EVERY_MODULE, "slang", slang)]


TASKS: dict[Stage, Callable[[Plan], list[Task]]] = {
    "simulation": simulation,
    "icarus": icarus,
    "coverage": coverage,
    "proof": proof,
    "netlist": netlist,
    "mutation": mutation,
    "lint": lint,
}
