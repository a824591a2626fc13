"""The committed video workload: what it draws, its files, its scripts and its card."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner

from fpsim.dit import train, video_card
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.dataset import DataSet
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.digits import load_digits
from fpsim.dit.domains import DOMAINS, get_domain
from fpsim.dit.files import DATA_DIR, DataFileError
from fpsim.dit.hooks import GROUPS, block_linears, layer_group, with_linears
from fpsim.dit.image_card import card
from fpsim.dit.video_card import nearest_digits
from fpsim.dit.video_digits import load_moving_digits, render
from fpsim.dit.video_metrics import VideoMetric, load_video_metric
from fpsim.dit.video_model import VideoDiT
from fpsim.dit.video_workload import load_video_dit
from fpsim.dit.workload import sample_noise

COUNT = 90  # every digit in every motion
FEW = 16
DOMAIN = get_domain("video")
LOADERS: dict[str, Callable[..., object]] = {
    DOMAIN.checkpoint_file: load_video_dit,
    DOMAIN.metric_file: load_video_metric,
    DOMAIN.noise_file: partial(load_noise, domain="video"),
}


@pytest.fixture(scope="module")
def model() -> VideoDiT:
    return load_video_dit()[0]


@pytest.fixture(scope="module")
def metric() -> VideoMetric:
    return load_video_metric()


@pytest.fixture(scope="module")
def conditions() -> Tensor:
    return load_noise(COUNT, "video").labels


@pytest.fixture(scope="module")
def samples(model: VideoDiT, conditions: Tensor) -> Tensor:
    return ddim_sample(model, load_noise(COUNT, "video").noise, conditions)


@pytest.fixture(scope="module")
def few() -> DataSet:
    """A slice of the data set that takes no time to train on."""
    data = load_moving_digits()
    parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    return DataSet(*(part[:512] for part in parts))


def test_noise_is_standard_normal_and_conditions_are_in_turn() -> None:
    stored = load_noise(domain="video")
    assert stored.noise.shape == (1000, 3, 12, 12)
    assert torch.equal(stored.labels, DOMAIN.conditions(1000))
    count = stored.noise.numel()
    assert abs(stored.noise.mean().item()) < 5 / count**0.5
    assert abs(stored.noise.var().item() - 1) < 5 * (2 / count) ** 0.5


def test_samples_show_the_digit_asked_for_moving_as_asked(
    metric: VideoMetric, samples: Tensor, conditions: Tensor
) -> None:
    assert metric.accuracy(samples, conditions) > 0.9
    assert metric.motion(samples, conditions) < 0.25
    for motion in range(1, 9):  # of the eight wrong motions none fits
        wrong = conditions.clone()
        wrong[:, 1] = (wrong[:, 1] + motion) % 9
        assert metric.motion(samples, wrong) > 1, motion


def test_points_of_any_seed_serve(model: VideoDiT, metric: VideoMetric) -> None:
    points = sample_noise("video", 20, 3)
    videos = ddim_sample(model, points.noise, points.labels)
    assert metric.accuracy(videos, points.labels) > 0.8
    assert metric.motion(videos, points.labels) < 0.4


def test_own_linears_give_the_same_bits(model: VideoDiT) -> None:
    linears = block_linears(model)
    own = {name: lambda x, name=name: linears[name](x) for name in linears}
    points = load_noise(FEW, "video")
    plain = ddim_sample(model, points.noise, points.labels, steps=5)
    assert torch.equal(ddim_sample(with_linears(model, own), points.noise, points.labels, steps=5), plain)


def test_damage_in_any_group_is_seen(model: VideoDiT, metric: VideoMetric, samples: Tensor) -> None:
    points, reference = load_noise(FEW, "video"), samples[:FEW]
    for group in GROUPS:
        coarse = {
            name: lambda x, linear=linear: linear((x * 2).round() / 2)
            for name, linear in block_linears(model).items()
            if layer_group(name) == group
        }
        damaged = ddim_sample(with_linears(model, coarse), points.noise, points.labels)
        for quality, gap in metric.gaps(reference, damaged, points.labels).items():
            assert gap > 1e-4, (group, quality)


class TestFiles:
    @pytest.mark.parametrize("name", LOADERS)
    def test_damage_is_refused(self, name: str, tmp_path: Path) -> None:
        data = Path(shutil.copytree(DATA_DIR, tmp_path / "data"))
        content = bytearray((data / name).read_bytes())
        content[len(content) // 2] ^= 1
        (data / name).write_bytes(content)
        with pytest.raises(DataFileError, match=f"{name}: altered"):
            LOADERS[name](directory=data)
        (data / name).unlink()
        with pytest.raises(DataFileError, match=f"{name}: missing"):
            LOADERS[name](directory=data)

    def test_sizes_stay_below_three_megabytes(self) -> None:
        sizes = {name: (DATA_DIR / name).stat().st_size for name in LOADERS}
        assert all(0 < size < 3_000_000 for size in sizes.values()), sizes

    def test_another_kind_of_domain_is_refused(self) -> None:
        with pytest.raises(ValueError, match="domain='digits': its model is a DiT, expected a VideoDiT"):
            load_video_dit("digits")


def test_script_trains_the_domain(few: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DOMAINS, "video", replace(DOMAIN, load=lambda: few))
    app = typer.Typer()
    app.command()(train.main)
    arguments = ["--domain", "video", "--out", str(tmp_path), "--steps", "2", "--metric-epochs", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    model, metadata = load_video_dit(directory=tmp_path)
    assert (metadata["steps"], metadata["batch"], metadata["parameters"]) == ("2", "64", "864112")
    assert model.config == DOMAIN.config
    assert load_video_metric(directory=tmp_path).frames.train["cnn"].mean.shape == (32,)
    assert load_noise(3, "video", tmp_path).labels.shape == (3, 2)


def test_nearest_digit_is_found_wherever_it_stands() -> None:
    digits = load_digits().train_images[:40]
    videos = torch.stack(
        [torch.from_numpy(render(digits[i, 0], [[i % 5, 4 - i % 5]] * 3)) for i in (7, 31)]  # type: ignore[arg-type]
    )
    videos[1, 0] += 0.01
    found = nearest_digits(videos, torch.from_numpy(digits))
    # 64 pixels, each off by 0.01.
    assert found.tolist() == pytest.approx([0, 0.08], abs=1e-2)


def test_card_states_the_checkpoint_it_describes() -> None:
    text = (DATA_DIR / DOMAIN.card_file).read_text()
    _, metadata = load_video_dit()
    assert f"{(DATA_DIR / DOMAIN.checkpoint_file).stat().st_size:,} bytes" in text
    assert f"| loss | {metadata['loss']} " in text
    assert "Alpaydin" in text
    assert "confirmed at UCI" in text


def test_card_figures_are_those_of_the_committed_samples(
    metric: VideoMetric, samples: Tensor, conditions: Tensor
) -> None:
    """The card's figures of 500 videos fit those of the first 90."""
    text = (DATA_DIR / DOMAIN.card_file).read_text()
    row = re.search(r"\| generated, stored noise \| 500 \|" + r" (-?[\d.]+) \|" * 5, text)
    assert row is not None
    content, accuracy, appearance, _, motion = (float(x) for x in row.groups())
    # A video's three frames are hardly independent: the standard error is that of 90 videos.
    assert (
        abs(metric.accuracy(samples, conditions) - accuracy) < 5 * (accuracy * (1 - accuracy) / COUNT) ** 0.5
    )
    assert abs(metric.content(samples, conditions) - content) < 0.3
    assert abs(metric.motion(samples, conditions) - motion) < 0.1
    assert 0 < appearance < metric.appearance(samples)  # fewer samples, larger distance


def test_card_template_renders_every_figure(
    model: VideoDiT, metric: VideoMetric, few: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def instant(model: VideoDiT, noise: Tensor, labels: Tensor, **options: Any) -> Tensor:
        return noise.clamp(-1, 1)

    monkeypatch.setattr(video_card, "ddim_sample", instant)
    monkeypatch.setattr(video_card, "COUNTS", (50, 100))
    stages: list[str] = []
    stored = load_noise(100, "video")
    figures = video_card.measure(
        DOMAIN, model, metric, few, noise=(stored.noise, stored.labels), seeds=2, progress=stages.append
    )
    text = card(DOMAIN, figures, load_video_dit()[1], 1234)
    assert stages == ["stored noise", "noise seed 0", "noise seed 1", "50 steps", "guidance 1.5"]
    assert "1,234 bytes" in text
    assert "| real test videos | 100 |" in text
    # Clipped noise is no digit: far from training frames, and it stays in the middle.
    assert figures["stored"]["appearance"] > 10
    assert figures["stored"]["motion"] > 0.7
    assert figures["real"]["motion"] == pytest.approx(0, abs=1e-9)
    assert figures["memory"]["generated"]["near"] == 0
