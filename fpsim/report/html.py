"""The report as one HTML file that needs nothing else, and the files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fpsim.report.data import DemoReport
from fpsim.report.files import ReportFolderError, check_folder, results_json, write_set
from fpsim.report.findings import verdict
from fpsim.report.images import image_grid, shown_images
from fpsim.report.page import render_page
from fpsim.report.tables import area_table, golden_table, mapping_table, rtl_table
from fpsim.report.views import area_picture, model_view, workload_view

__all__ = ["REPORT_FILE", "RESULTS_FILE", "ReportFolderError", "check_folder", "render", "write_report"]

TEMPLATE = "template.html.j2"
REPORT_FILE = "report.html"
RESULTS_FILE = "results.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _context(report: DemoReport) -> dict[str, Any]:
    seconds = {name: round(value, 1) for name, value in report.stage_seconds.items()}
    return {
        "verdict": verdict(report),
        "models": [model_view(model) for model in report.models],
        "rtl": rtl_table(report.rtl) if report.rtl else None,
        "golden": golden_table(report.golden) if report.golden else None,
        "cost": report.cost,
        "area": area_picture(report.cost.areas),
        "areas": area_table(report.cost.areas) if report.cost.areas else None,
        "workloads": [workload_view(workload, report.config) for workload in report.cost.workloads],
        "not_modelled": report.not_modelled,
        "provenance": [
            mapping_table("Versions of packages and tools.", "name", "version", report.versions),
            mapping_table("Seeds of everything random.", "what", "seed", report.seeds),
            mapping_table("Wall-clock time of every stage.", "stage", "time", seconds, "s"),
            mapping_table("Configuration of the machine.", "parameter", "value", report.config),
        ],
        "results_file": RESULTS_FILE,
    }


def render(report: DemoReport) -> str:
    """The HTML page: styles, images and numbers inside, no script, nothing loaded from elsewhere."""
    return render_page(TEMPLATE, _context(report))


def _image_files(report: DemoReport) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for model in report.models:
        if not _FILE_NAME.fullmatch(model.name):
            raise ValueError(
                f"model {model.name!r}: expected letters, digits, '.', '_' and '-', for a file name"
            )
        name = f"images-{model.name}.png"
        if name in files:
            raise ValueError(f"model {model.name!r}: occurs twice, its images would overwrite each other")
        if model.rows and shown_images(model):
            files[name] = image_grid(model)
    return files


def write_report(report: DemoReport, folder: Path) -> Path:
    """Write `report.html`, `results.json` and `images-<model>.png`, all of them or none.

    `results.json` is `report.to_dict()` as strict JSON: infinities are the strings "inf" and "-inf".

    Args:
        report: what the run found out.
        folder: made if missing; older files of the same names are replaced.

    Returns:
        The path of `report.html`.

    Raises:
        ReportFolderError: the folder cannot be written; checked before anything else.
        ValueError: a model's name cannot be part of a file name.
    """
    check_folder(folder)
    files = _image_files(report)
    files[RESULTS_FILE] = results_json(report).encode()
    files[REPORT_FILE] = render(report).encode()
    write_set(folder, files)
    return folder / REPORT_FILE
