"""The sign-off's tables: a row per unit with everything that was checked of it, and what lies behind."""

from __future__ import annotations

from collections.abc import Mapping

from fpsim.estimate.areas import ModuleArea
from fpsim.report.tables import Column, Row, Table
from fpsim.report.text import NONE, fixed, integer
from fpsim.verify.check import STAGES, Check, Stage
from fpsim.verify.signoff import SignOff

KINDS = ("golden", "exhaustive", "random", "sequences")
POINTS = ("line", "branch", "toggle")


def unit_table(signoff: SignOff, areas: Mapping[str, ModuleArea]) -> Table:
    """One row per unit. Areas by module; a unit that has none shows a dash."""
    rows = [_unit_row(signoff, name, areas.get(f"fpsim_{name}")) for name in signoff.modules]
    columns = [Column("unit", numeric=False), Column("verdict", numeric=False)]
    columns += [Column("Verilator", group="results compared"), Column("Icarus", group="results compared")]
    columns += [Column("cycles simulated")]
    columns += [Column(f"{kind} (%)", group="coverage") for kind in (*POINTS, "functional")]
    columns += [Column("proofs", group="for all inputs"), Column("gates = RTL", group="for all inputs")]
    columns += [Column("killed", group="mutants"), Column("of, not equivalent", group="mutants")]
    columns += [Column("lint", numeric=False), Column("area (GE)")]
    caption = (
        "Every unit. A proof counts for every unit that holds its module; gates = RTL: bits of registers and "
        "outputs proved equal after synthesis, or results of the bench on the netlist (run); area in gate "
        "equivalents where it was synthesized."
    )
    return Table(caption, columns, rows)


def _unit_row(signoff: SignOff, name: str, area: ModuleArea | None) -> Row:
    of = {stage: signoff.of(stage, name) for stage in STAGES}
    every = [check for checks in of.values() for check in checks]
    verdict = "FAILED" if any(check.verdict == "failed" for check in every) else "passed"
    ran = {check.stage for check in signoff.checks}  # a unit may be left out of one, with a reason
    if verdict == "passed" and (not all(check.passed for check in every) or ran != set(STAGES)):
        verdict = "incomplete"
    cells = [name, verdict]
    cells += [_vectors(of["simulation"]), _vectors(of["icarus"])]
    cells += [_sum(of["simulation"], "cycles")]
    cells += [_share(of["coverage"], kind) for kind in (*POINTS, "functional")]
    cells += [_passed(of["proof"]), _gates(of["netlist"])]
    killed, judged = (_figure(of["mutation"], key) for key in ("killed", "judged"))
    cells += [NONE, NONE] if judged is None else [integer(int(killed or 0)), integer(int(judged))]
    cells += [_passed(of["lint"]), NONE if area is None else fixed(area.ge, 0)]
    return Row(cells, "failed" if verdict == "FAILED" else "passed" if verdict == "passed" else "")


def _figure(checks: list[Check], key: str) -> float | None:
    found = [figure for check in checks if isinstance(figure := check.figures.get(key), int | float)]
    return sum(found) if found else None


def _sum(checks: list[Check], key: str) -> str:
    found = _figure(checks, key)
    return NONE if found is None else integer(int(found))


def _gates(checks: list[Check]) -> str:
    """Points that were proved equal, or results of a bench on the netlist."""
    run = _figure(checks, "gate results")
    return _sum(checks, "points") if run is None else f"{integer(int(run))} run"


def _vectors(checks: list[Check]) -> str:
    found = [found for kind in KINDS if (found := _figure(checks, kind)) is not None]
    return integer(int(sum(found))) if found else NONE


def _share(checks: list[Check], kind: str) -> str:
    covered, points = _figure(checks, kind), _figure(checks, f"{kind} points")
    return NONE if covered is None or not points else fixed(100 * covered / points, 1)


def _passed(checks: list[Check]) -> str:
    return f"{sum(check.passed for check in checks)} of {len(checks)}" if checks else NONE


def stage_table(signoff: SignOff) -> Table:
    """One row per stage: checks by verdict and time."""
    rows = []
    for stage in STAGES:
        checks = [check for check in signoff.checks if check.stage == stage]
        counts = [
            sum(check.verdict == verdict for check in checks) for verdict in ("passed", "failed", "not run")
        ]
        seconds = fixed(sum(check.seconds for check in checks), 1)
        kind = "failed" if counts[1] else "passed" if counts[0] and not counts[2] else ""
        rows.append(Row([stage, *map(integer, counts), seconds], kind))
    columns = [Column("stage", numeric=False), *map(Column, ("passed", "failed", "not run", "time (s)"))]
    return Table("Checks by stage; times of checks that ran side by side, added up.", columns, rows)


def proof_table(signoff: SignOff) -> Table:
    """One row per proof: claim, sizes, what the solver said of the RTL and of the RTL with a fault."""
    keys = ("claim", "sizes", "induction steps", "verdict", "with a fault")
    return _listing(
        signoff,
        "proof",
        "Proved for all inputs, in the sizes given and no others (induction steps 0: no registers); a proof "
        "counts only if the same proof refutes the RTL with a fault in it.",
        keys,
    )


def _listing(signoff: SignOff, stage: Stage, caption: str, keys: tuple[str, ...]) -> Table:
    rows = [
        Row(
            [
                check.name,
                check.subject,
                *(str(check.figures.get(key, NONE)) for key in keys),
                fixed(check.seconds, 1),
            ],
            "passed" if check.passed else "failed",
        )
        for check in signoff.checks
        if check.stage == stage
    ]
    columns = [Column("check", numeric=False), Column("module", numeric=False)]
    columns += [Column(key, numeric=False) for key in keys] + [Column("time (s)")]
    return Table(caption, columns, rows)


def reason_table(caption: str, what: str, reasons: Mapping[str, str]) -> Table:
    """What was left out, and why."""
    rows = [Row([name, reason]) for name, reason in reasons.items()]
    return Table(caption, [Column(what, numeric=False), Column("reason", numeric=False)], rows)
