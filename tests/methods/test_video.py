"""The study of the video model: every part is there, and its text shows the numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fpsim.array.config import ArrayConfig
from fpsim.cli import app
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.metric_net import MetricNet, MetricNetConfig
from fpsim.dit.metrics import ImageMetric
from fpsim.dit.video_metrics import VideoMetric
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.methods import video
from fpsim.methods.video import EXPERIMENTS, VideoSampling, VideoStudy, study, study_data, study_text
from fpsim.quant.calibration import observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.recipes import get_recipe
from fpsim.quant.sensitivity_quality import video_changes

SAMPLING = VideoSampling(measured=2, judged=3, steps=4)
NOISE = torch.randn(6, 3, 12, 12, generator=torch.Generator().manual_seed(3))
LABELS = torch.stack([torch.arange(6), torch.arange(6) % 4], dim=1)
RECIPE = get_recipe("vidit-q-w8a8")


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
def result(model: VideoDiT, metric: VideoMetric, tmp_path_factory: pytest.TempPathFactory) -> VideoStudy:
    folder = tmp_path_factory.mktemp("kept")
    seen: list[tuple[str, int, int]] = []
    found = study(
        model,
        video_changes(metric),
        (NOISE[:3], LABELS[:3]),
        (NOISE[3:], LABELS[3:]),
        SAMPLING,
        lambda *at: seen.append(at),
        recipes=(RECIPE,),  # type: ignore[arg-type]
        experiments=tuple(replace(one, ranges=1) for one in EXPERIMENTS[:1]),
        store=folder,
    )
    assert seen[:2] == [("recipes", 0, 1), ("recipes", 1, 1)]
    assert seen[-1] == ("vidit-q-mp-w4a8", 7, 7)
    assert [path.name for path in Path(folder).iterdir()] == ["vidit-q-mp-w4a8-sensitivity.npz"]
    return found


def test_recipes_are_judged_on_the_machine(result: VideoStudy, model: VideoDiT, metric: VideoMetric) -> None:
    seen = observe_model(model, NOISE[:3], LABELS[:3], steps=4)  # type: ignore[arg-type]
    executed = on_machine(RECIPE.quantize(model, seen, ArrayConfig()), ArrayConfig())  # type: ignore[arg-type]
    samples, exact = (ddim_sample(m, NOISE[3:], LABELS[3:], steps=4) for m in (executed, model))
    expected = video_changes(metric)(exact, samples, LABELS[3:])
    found = result.recipes["vidit-q-w8a8"]
    assert {measure: estimate.mean for measure, estimate in found.items()} == {
        measure: pytest.approx(values.mean()) for measure, values in expected.items()
    }


def test_the_text_shows_every_number(result: VideoStudy) -> None:
    text = study_text(result)
    found = result.decoupling["vidit-q-mp-w4a8"]
    for name in (
        "vidit-q-w8a8",
        "temporal (motion)",
        "cross (content)",
        "mixed, decoupled",
        "decoupled - mse",
    ):
        assert f"| {name} | " in text
    for estimates in (*found.groups.values(), found.whole, found.difference, result.recipes["vidit-q-w8a8"]):
        for estimate in estimates.values():
            assert f"{estimate.mean:.3g} ± {estimate.error:.2g}" in text
    assert f"{found.relative('ffn', 'content'):.3f}" in text


@pytest.mark.parametrize(
    ("field", "value", "legal"),
    [("measured", 61, "2 to 60"), ("judged", 1, "2 to"), ("steps", 3, "4 to 1000")],
)
def test_illegal_sampling_is_refused(field: str, value: int, legal: str) -> None:
    with pytest.raises(ValueError, match=f"{field}={value}: expected {legal}"):
        VideoSampling(**{field: value})


def test_the_data_are_the_numbers_of_the_text(result: VideoStudy) -> None:
    data = json.loads(json.dumps(study_data(result), allow_nan=False))
    found = result.decoupling["vidit-q-mp-w4a8"]
    kept = data["decoupling"]["vidit-q-mp-w4a8"]
    assert data["recipes"]["vidit-q-w8a8"]["mse"]["mean"] == result.recipes["vidit-q-w8a8"]["mse"].mean
    assert kept["groups"]["ffn"]["motion"] == {
        "mean": found.groups["ffn"]["motion"].mean,
        "error": found.groups["ffn"]["motion"].error,
    }
    assert kept["difference"]["content"]["mean"] == found.difference["content"].mean
    assert kept["plans"]["mse"] == {
        layer: [str(width) for width in widths]
        for layer, widths in zip(found.plans["mse"].layers, found.plans["mse"].widths, strict=True)
    }


def test_the_command_studies_the_trained_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tuple(replace(one, ranges=1) for one in EXPERIMENTS[:1])
    monkeypatch.setattr(video, "study", partial(study, recipes=(RECIPE,), experiments=short))
    out = tmp_path / "out"
    words = ["decoupling", "--out", str(out), "--measured", "2", "--judged", "3", "--steps", "4"]
    said = CliRunner().invoke(app, [*words, "--json"])
    assert said.exit_code == 0, said.output
    data = json.loads((out / "decoupling.json").read_text())
    assert json.loads(said.stdout[said.stdout.index("{") :]) == data
    assert data["sampling"] == {"measured": 2, "judged": 3, "steps": 4}
    assert list(data["recipes"]) == ["vidit-q-w8a8"]
    assert len(data["decoupling"]["vidit-q-mp-w4a8"]["plans"]["decoupled"]) == 36
    assert "| temporal (motion) | " in (out / "decoupling.md").read_text()

    refused = CliRunner().invoke(app, ["decoupling", "--out", str(tmp_path / "none"), "--judged", "1"])
    assert refused.exit_code == 2
    assert not (tmp_path / "none").exists()
