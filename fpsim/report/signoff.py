"""The sign-off page: one HTML file, the same as JSON, and JUnit XML for CI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fpsim.estimate.areas import ModuleArea
from fpsim.report.files import strict, write_set
from fpsim.report.findings import Verdict
from fpsim.report.junit import junit_xml
from fpsim.report.page import render_page
from fpsim.report.signoff_tables import proof_table, reason_table, stage_table, unit_table
from fpsim.report.tables import mapping_table
from fpsim.report.text import counted, fixed, integer
from fpsim.verify.check import STAGES
from fpsim.verify.covergroups.table import SAMPLERS, sampler
from fpsim.verify.exclusions import EXCLUSIONS
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.icarus import NOT_IN_ICARUS
from fpsim.verify.signoff import SignOff
from fpsim.verify.signoff_tasks import NETLIST_REASONS
from fpsim.verify.slang import WAIVERS
from fpsim.verify.undecided import BY_HAND, UNDECIDED
from fpsim.verify.units import unit

TEMPLATE = "signoff.html.j2"
PAGE, DATA, JUNIT = "signoff.html", "signoff.json", "junit.xml"


def signoff_verdict(signoff: SignOff) -> Verdict:
    """The page's first paragraph."""
    counts, failed = signoff.counts, signoff.counts.get("failed", 0)
    left_out = [stage for stage in STAGES if not any(check.stage == stage for check in signoff.checks)]
    sentences = [
        f"{counted(len(signoff.checks), 'check')} of {counted(len(signoff.modules), 'unit')}: "
        f"{integer(counts.get('passed', 0))} passed, {integer(failed)} failed, "
        f"{integer(counts.get('not run', 0))} not run, in {fixed(signoff.seconds, 0)} s."
    ]
    if left_out:
        sentences.append(f"Left out: {', '.join(left_out)}.")
    if signoff.quick:
        sentences.append("A quick run: fewer vectors, and no proof that takes long.")
    if failed:
        return Verdict("failed", "Not signed off", sentences)
    if not signoff.signed_off:
        return Verdict("incomplete", "Nothing failed, but not everything was looked at", sentences)
    return Verdict("passed", "Signed off", sentences)


def write_signoff(signoff: SignOff, areas: Mapping[str, ModuleArea], folder: Path) -> Path:
    """Write `signoff.html`, `signoff.json` and `junit.xml`, all of them or none.

    Args:
        signoff: what the run found out.
        areas: area by module, as far as it is known.
        folder: made if missing; older files of the same names are replaced.

    Returns:
        The path of the page.

    Raises:
        ReportFolderError: the folder cannot be written.
    """
    data = {
        "signed_off": signoff.signed_off,
        "areas_ge": {name: area.ge for name, area in areas.items()},
        **asdict(signoff),
    }
    files = {
        PAGE: render_page(TEMPLATE, _context(signoff, areas)).encode(),
        DATA: (json.dumps(strict(data), indent=1, allow_nan=False) + "\n").encode(),
        JUNIT: junit_xml(signoff),
    }
    write_set(folder, files)
    return folder / PAGE


def _unreachable() -> dict[str, str]:
    """Bins by unit and cover points, with the reason."""
    groups = [(name, sampler(unit(name, FAULT_CONFIG), FAULT_CONFIG).group) for name in SAMPLERS]
    return {f"{name}: {rule.label}": rule.reason for name, group in groups for rule in group.unreachable}


def _context(signoff: SignOff, areas: Mapping[str, ModuleArea]) -> dict[str, Any]:
    exclusions = {f"{rule.module}: {rule.kind} {rule.object}": rule.reason for rule in EXCLUSIONS}
    undecided = {
        f"{name}, mutant {number}": reason for (name, number), reason in (BY_HAND | UNDECIDED).items()
    }
    return {
        "verdict": signoff_verdict(signoff),
        "units": unit_table(signoff, areas),
        "stages": stage_table(signoff),
        "troubles": [check for check in signoff.checks if not check.passed],
        "proofs": proof_table(signoff),
        "unreachable": reason_table("Functional bins that nothing reaches.", "bins", _unreachable()),
        "exclusions": reason_table("Coverage points that no bench can reach.", "point", exclusions),
        "undecided": reason_table("Mutants that neither a bench nor a proof decides.", "mutant", undecided),
        "waivers": reason_table("Warnings of slang that are switched off.", "warning", WAIVERS),
        "no_netlist": reason_table("Netlists that are not proved.", "unit", NETLIST_REASONS),
        "not_in_icarus": reason_table("Units that Icarus cannot check.", "unit", NOT_IN_ICARUS),
        "tools": mapping_table("Versions of the tools.", "tool", "version", signoff.tools),
        "data_file": DATA,
        "junit_file": JUNIT,
    }
