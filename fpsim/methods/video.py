"""ViDiT-Q on the video model: what its recipes change, and whether its metrics decouple by layer group."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import Images, ddim_sample
from fpsim.dit.hooks import BlockModel
from fpsim.dit.video_metrics import load_video_metric
from fpsim.dit.video_workload import load_video_dit
from fpsim.dit.workload import calibration_noise, sample_noise
from fpsim.quant.calibration import observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.mixed import MIXED_RECIPES, ViDiTQMixed
from fpsim.quant.mixed_decoupling import Decoupling, Estimate, Estimates, decoupling_of
from fpsim.quant.sensitivity_quality import Compare, video_changes
from fpsim.quant.viditq import VIDITQ_RECIPES, ViDiTQ
from fpsim.report.files import strict, write_set
from fpsim.report.markdown import markdown_lines

Progress = Callable[[str, int, int], None]
Samples = tuple[Images, Images]  # starting noise and labels

JSON_NAME, TEXT_NAME = "decoupling.json", "decoupling.md"
EXPERIMENTS: tuple[ViDiTQMixed, ...] = tuple(r for r in MIXED_RECIPES if r.rule == "decoupled")


@dataclass(frozen=True)
class VideoSampling:
    """Numbers of samples and steps.

    Attributes:
        measured: samples that sensitivities are measured on, out of the 60 calibration points.
        judged: samples that everything is judged by, none of those.
        steps: DDIM steps.
    """

    measured: int = 24
    judged: int = 64
    steps: int = 20

    def __post_init__(self) -> None:
        for name, low, high in (("measured", 2, 60), ("judged", 2, 100_000), ("steps", 4, 1000)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise ValueError(f"{name}={value!r}: expected {low} to {high}")


@dataclass(frozen=True, eq=False)
class VideoStudy:
    """What was measured; all numbers are paired changes against FP32 samples of the same noise.

    Attributes:
        sampling: on how many samples.
        recipes: recipe name to the changes under it, every layer alike.
        decoupling: name of a mixed-precision recipe to the experiment with its widths and budget.
    """

    sampling: VideoSampling
    recipes: dict[str, Estimates]
    decoupling: dict[str, Decoupling]


def run_video(out: Path, sampling: VideoSampling, progress: Progress, *, domain: str = "video") -> VideoStudy:
    """Measure the committed model of a video domain and write `decoupling.json` and `decoupling.md`.

    Args:
        out: folder of results, and of the sensitivities, which a second run with the same model and
            sampling finds again.
        sampling: how much.
        progress: called with (what, done, total).
        domain: a video domain.

    Raises:
        ValueError: an unknown domain, or one of no videos.
        DataFileError: a file of the domain is missing, truncated or altered.
    """
    model, _ = load_video_dit(domain)
    points = sample_noise(domain, sampling.judged, seed=0)
    result = study(
        model,
        video_changes(load_video_metric(domain)),
        calibration_noise(domain),
        (points.noise, points.labels),
        sampling,
        progress,
        store=out,
    )
    content = json.dumps(strict(study_data(result)), indent=1) + "\n"
    write_set(out, {JSON_NAME: content.encode(), TEXT_NAME: study_text(result).encode()})
    return result


def study_data(result: VideoStudy) -> dict[str, Any]:
    """The study as plain data: every mean and standard error, and the widths of both assignments."""
    return {
        "sampling": asdict(result.sampling),
        "recipes": {name: _data(estimates) for name, estimates in result.recipes.items()},
        "decoupling": {
            name: {
                "width": str(found.width),
                "groups": {group: _data(estimates) for group, estimates in found.groups.items()},
                "whole": _data(found.whole),
                "outcomes": {rule: _data(estimates) for rule, estimates in found.outcomes.items()},
                "difference": _data(found.difference),
                "plans": {
                    rule: dict(zip(plan.layers, ([str(w) for w in row] for row in plan.widths), strict=True))
                    for rule, plan in found.plans.items()
                },
            }
            for name, found in result.decoupling.items()
        },
    }


def _data(estimates: Estimates) -> dict[str, dict[str, float]]:
    return {measure: asdict(estimate) for measure, estimate in estimates.items()}


def study(
    model: BlockModel,
    compare: Compare,
    calibration: Samples,
    judged: Samples,
    sampling: VideoSampling,
    progress: Progress,
    *,
    recipes: tuple[ViDiTQ, ...] = VIDITQ_RECIPES,
    experiments: tuple[ViDiTQMixed, ...] = EXPERIMENTS,
    store: Path | None = None,
) -> VideoStudy:
    """Measure a model.

    Args:
        model: the floating-point model.
        compare: the measures.
        calibration: starting noise and labels that scales and sensitivities may come from.
        judged: those to judge by.
        sampling: how much of both.
        progress: called with (what, done, total).
        recipes: to run with every layer alike.
        experiments: widths and budgets to compare assignments with.
        store: folder that keeps sensitivities.
    """
    config = ArrayConfig()
    noise, labels = (part[: sampling.judged] for part in judged)
    measured = (calibration[0][: sampling.measured], calibration[1][: sampling.measured])
    seen = observe_model(model, *calibration, steps=sampling.steps)  # type: ignore[arg-type]
    exact = ddim_sample(model, noise, labels, steps=sampling.steps)
    changes: dict[str, Estimates] = {}
    progress("recipes", 0, len(recipes))
    for recipe in recipes:
        executed = on_machine(recipe.quantize(model, seen, config), config)
        samples = ddim_sample(executed, noise, labels, steps=sampling.steps)
        found = compare(exact, samples, labels)
        changes[recipe.name] = {measure: Estimate.of(values) for measure, values in found.items()}
        progress("recipes", len(changes), len(recipes))
    decoupling = {}
    for experiment in experiments:
        kept = None if store is None else store / f"{experiment.name}-sensitivity.npz"
        decoupling[experiment.name] = decoupling_of(
            replace(experiment, store=kept, samples=sampling.measured),
            model,
            seen,
            config,
            compare,
            measured,
            (noise, labels),
            steps=sampling.steps,
            progress=partial(progress, experiment.name),
        )
    return VideoStudy(sampling, changes, decoupling)


def study_text(result: VideoStudy) -> str:
    """The study as Markdown tables: means and standard errors."""
    measures = list(next(iter(result.decoupling.values())).whole)
    head = f"{result.sampling.judged} samples, {result.sampling.steps} steps, changes against FP32"
    lines = [
        head,
        "",
        *markdown_lines(["recipe", *measures], [[n, *_cells(e)] for n, e in result.recipes.items()]),
    ]
    for name, found in result.decoupling.items():
        rows = [
            [f"{group} ({found.own(group)})", *_cells(estimates)] for group, estimates in found.groups.items()
        ]
        rows.append(["all", *_cells(found.whole)])
        rows += [[f"mixed, {rule}", *_cells(estimates)] for rule, estimates in found.outcomes.items()]
        rows.append(["decoupled - mse", *_cells(found.difference)])
        lines += ["", f"{name}: one group at a time at {found.width}, then by assignment", ""]
        lines += markdown_lines(["quantized", *measures], rows)
        relative = [
            [g, *(f"{v:.3f}" for v in row)] for g, row in zip(found.groups, found.heat_map(), strict=True)
        ]
        lines += ["", "As a part of the change of all together:", ""]
        lines += markdown_lines(["group", *measures], relative)
    return "\n".join(lines) + "\n"


def _cells(estimates: Estimates) -> list[str]:
    return [f"{estimate.mean:.3g} ± {estimate.error:.2g}" for estimate in estimates.values()]
