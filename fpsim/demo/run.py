"""The main job: six stages, a table, and one HTML report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from fpsim.array.config import ArrayConfig
from fpsim.demo.cost import cost_versions, estimate_cost
from fpsim.demo.golden import make_golden
from fpsim.demo.parallel import measure_models
from fpsim.demo.progress import progress_bars
from fpsim.demo.quality import SHOWN_RECIPES, Sampling
from fpsim.demo.rtl import check_rtl
from fpsim.demo.versions import seeds, versions
from fpsim.dit.workload import models_of
from fpsim.report.data import DemoReport
from fpsim.report.findings import verdict
from fpsim.report.html import check_folder, write_report
from fpsim.report.terminal import print_summary
from fpsim.verify.toolchain import check_tools

NOT_MODELLED = [
    "Attention's two matrix products and softmax, LayerNorm, adaLN modulation and GELU run in float32 on the "
    "host, as in the papers; so do patch, timestep and label embeddings and the final layer.",
    "Rows cross the border to the machine as FP16, rounded to nearest even.",
    "Tiles run one after the other; loading the next tile while the last one drains is not modelled yet.",
    "Energy is dynamic energy of the synthesized netlist without clock tree or routed wires, plus SRAM and "
    "DRAM from published figures; see the notes beside the cost tables.",
]


@dataclass
class Stages:
    """Prints each stage's heading and keeps its wall-clock time."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, title: str) -> Iterator[Callable[[str, int, int], None]]:
        """Run a stage under its heading, with progress bars."""
        self.console.print(f"[bold]{len(self.seconds) + 1}. {title}[/bold]")
        begin = time.perf_counter()
        with progress_bars() as progress:
            yield progress
        self.seconds[title] = time.perf_counter() - begin


def run_demo(out: Path, config: ArrayConfig, sampling: Sampling, library: str, console: Console) -> bool:
    """Run everything and write `out/report.html`, `out/results.json`, PNGs and `out/golden/`.

    Args:
        out: folder for the results; made if missing, checked to be writable before anything runs.
        config: the machine.
        sampling: images and steps of the quality measurement.
        library: characterized cell library for area and energy.
        console: where headings and tables go.

    Returns:
        Whether every RTL check passed.

    Raises:
        OSError: `out` cannot be written.
        ToolMissing: no simulator or compiler; says how to get it.
    """
    check_folder(out)
    check_tools()
    stage = Stages(console)
    with stage("Load, quantize, execute: FP32 and every recipe on every model") as progress:
        models = measure_models(models_of("digits"), list(SHOWN_RECIPES), config, sampling, progress)
    with stage("Golden vectors of real layer tiles"):
        paths, golden = make_golden(out / "golden", config)
    with stage("RTL in the simulator against the law") as progress:
        checks = check_rtl(config, paths, progress)
    with stage("Area, cycles and energy"):
        cost = estimate_cost(config, library)
    report = DemoReport(
        config=config.to_dict(),
        seeds=seeds(),
        versions=versions() | cost_versions(config, library),
        models=models,
        golden=golden,
        rtl=checks,
        cost=cost,
        stage_seconds=stage.seconds,
        not_modelled=NOT_MODELLED,
    )
    path = write_report(report, out)
    print_summary(report, console)
    console.print(f"\nReport: [bold]{path}[/bold]")
    return verdict(report).status == "passed"
