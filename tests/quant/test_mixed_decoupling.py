"""The decoupling experiment on a model whose groups spoil different things by construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.metric_net import MetricNet, MetricNetConfig
from fpsim.dit.metrics import ImageMetric
from fpsim.dit.video_metrics import VideoMetric
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.quant.calibration import observe_model
from fpsim.quant.mixed import MIXED_RECIPES
from fpsim.quant.mixed_assignment import Budget, layer_sizes
from fpsim.quant.mixed_decoupling import Decoupling, Estimate, decoupling_of, measure_decoupling
from fpsim.quant.mixed_plan import plan
from fpsim.quant.sensitivity import Trials, equal_ranges, measure_sensitivity
from fpsim.quant.sensitivity_quality import video_changes
from fpsim.quant.viditq_layer import Width

CONFIG = ArrayConfig()
COUNT, STEPS = 3, 2
NOISE = torch.randn(2 * COUNT, 3, 12, 12, generator=torch.Generator().manual_seed(3))
LABELS = torch.stack([torch.arange(2 * COUNT), torch.arange(2 * COUNT) + 3], dim=1)
BUDGET = Budget(6)


@pytest.fixture(scope="module")
def model() -> VideoDiT:
    torch.manual_seed(6)
    video = VideoDiT(VideoDiTConfig(depth=1))
    with torch.no_grad():
        for parameter in video.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return video.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def metric() -> VideoMetric:
    torch.manual_seed(7)
    net = MetricNet(MetricNetConfig(12, 10)).eval().requires_grad_(False)
    return VideoMetric(ImageMetric(net, {"cnn": 1.0, "pixels": 1.0}, {}))


@pytest.fixture(scope="module")
def result(model: VideoDiT, metric: VideoMetric) -> Decoupling:
    measured, judged = (NOISE[:COUNT], LABELS[:COUNT]), (NOISE[COUNT:], LABELS[COUNT:])
    calibration = observe_model(model, *measured, steps=STEPS)  # type: ignore[arg-type]
    seen: list[tuple[int, int]] = []
    found = decoupling_of(
        replace(MIXED_RECIPES[0], budget=BUDGET, ranges=1),
        model,
        calibration,
        CONFIG,
        video_changes(metric),
        measured,
        judged,
        steps=STEPS,
        progress=lambda *at: seen.append(at),
    )
    assert seen == [(i + 1, 18) for i in range(18)] + [(i + 1, 7) for i in range(7)]
    return found


def test_changes_are_those_of_the_video_metric(metric: VideoMetric) -> None:
    reference, test = NOISE[:COUNT], NOISE[COUNT:]
    changes = video_changes(metric)(reference, test, LABELS[:COUNT])
    gaps = metric.gaps(reference, test, LABELS[:COUNT])
    for measure in ("content", "motion"):
        assert changes[measure].mean() == pytest.approx(gaps[measure])  # type: ignore[index]
    assert changes["mse"] == pytest.approx((reference - test).square().mean(dim=(1, 2, 3)).numpy(), rel=1e-5)
    features = [metric.frames.features(v.reshape(-1, 1, 12, 12)) for v in (reference, test)]
    apart = np.square(features[0] - features[1]).sum(axis=1).reshape(COUNT, 3).mean(axis=1)
    assert changes["appearance"] == pytest.approx(apart)
    same = video_changes(metric)(reference, reference, LABELS[:COUNT])
    assert all(values == pytest.approx(np.zeros(COUNT), abs=1e-12) for values in same.values())


def test_every_group_is_tried_alone_and_all_together(result: Decoupling) -> None:
    assert result.width == Width(4, 8)
    assert list(result.groups) == ["spatial", "temporal", "cross", "ffn"]
    assert list(result.whole) == ["mse", "content", "appearance", "motion"]
    assert [result.own(group) for group in result.groups] == ["appearance", "motion", "content", "appearance"]
    heat = result.heat_map()
    assert heat.shape == (4, 4)
    assert (heat > 0).all()
    for column, measure in enumerate(result.whole):
        assert list(result.groups)[int(heat[:, column].argmax())] == result.moves_most(measure)
        whole = result.whole[measure]
        assert whole.mean > 0
        assert whole.error > 0


def test_both_rules_stay_within_the_budget(result: Decoupling, model: VideoDiT) -> None:
    sizes = layer_sizes(model, NOISE, LABELS)
    for rule, assignment in result.plans.items():
        assert assignment == plan(result.sensitivity, BUDGET, sizes, rule)
        assert assignment.mean("weight-bits", "parameter", sizes) <= 6
        assert all(0 < result.outcomes[rule][m].mean < result.whole[m].mean * 2 for m in result.whole)
    for measure, estimate in result.difference.items():
        apart = result.outcomes["decoupled"][measure].mean - result.outcomes["mse"][measure].mean
        assert estimate.mean == pytest.approx(apart, abs=1e-12)


def test_groups_that_are_blind_to_a_measure_show_it(model: VideoDiT, metric: VideoMetric) -> None:
    """One group is replaced by layers with an error, the others by the exact ones: only its row moves."""
    linears = {
        name: linear for name, linear in block_linears(model).items() if name.endswith(("qkv", "q", "fc1"))
    }

    def wrong(linear: torch.nn.Linear):  # type: ignore[no-untyped-def]
        return lambda x: linear.forward(x) * 1.5

    exact = {name: linear.forward for name, linear in linears.items()}
    temporal = "blocks.0.attn_temp.qkv"
    functions = {Width(4, 8): exact | {temporal: wrong(linears[temporal])}, Width(8, 8): exact}
    trials = Trials.of(model, NOISE[:COUNT], LABELS[:COUNT], video_changes(metric), STEPS)
    sensitivity = measure_sensitivity(trials, functions, equal_ranges(STEPS, 2))
    sizes = layer_sizes(model, NOISE, LABELS)
    result = measure_decoupling(trials, functions, sensitivity, BUDGET, sizes)
    assert result.groups["temporal"] == result.whole
    for group in ("spatial", "cross", "ffn"):
        for estimate in result.groups[group].values():  # type: ignore[index]
            assert estimate.mean == pytest.approx(0, abs=1e-12)
    assert result.moves_most("motion") == "temporal"
    by_mse = result.plans["mse"]
    # At timestep 0 the noise is almost gone, and an error of the model changes next to nothing.
    assert by_mse.widths[by_mse.layers.index(temporal)][0] == Width(8, 8)
    assert result.outcomes["mse"]["mse"].mean < 1e-4 * result.whole["mse"].mean


def test_an_estimate_has_a_standard_error() -> None:
    values = np.array([1.0, 2.0, 4.0])
    assert Estimate.of(values) == Estimate(values.mean(), values.std(ddof=1) / 3**0.5)
