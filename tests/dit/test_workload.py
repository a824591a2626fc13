"""The committed checkpoint: what it is, and that it makes digits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fpsim.dit import image_card
from fpsim.dit.checkpoint import load_digits_dit, load_noise
from fpsim.dit.diffusion import add_noise, ddim_sample
from fpsim.dit.digits import load_digits
from fpsim.dit.domains import get_domain
from fpsim.dit.files import DATA_DIR
from fpsim.dit.hooks import block_linears, with_linears
from fpsim.dit.metrics import load_metric, paired_mse, sqnr_db
from fpsim.dit.model import DiT, DiTConfig

COUNT = 100
DIGITS = get_domain("digits")


@pytest.fixture(scope="module")
def model() -> DiT:
    return load_digits_dit()[0]


@pytest.fixture(scope="module")
def samples(model: DiT) -> Tensor:
    stored = load_noise(COUNT)
    return ddim_sample(model, stored.noise, stored.labels)


def test_checkpoint_is_the_default_model_in_fp16(model: DiT) -> None:
    assert model.config == DiTConfig()
    size = (DATA_DIR / DIGITS.checkpoint_file).stat().st_size
    assert 0 < size - 2 * 1_060_036 < 16_000
    for name, value in model.state_dict().items():
        assert torch.equal(value.half().float(), value), name


def test_samples_are_recognised_as_their_class(samples: Tensor) -> None:
    assert load_metric().accuracy(samples, load_noise(COUNT).labels) > 0.95
    assert samples.abs().max() <= 1


def test_samples_are_as_close_to_training_as_real_test_images(samples: Tensor) -> None:
    metric = load_metric()
    real = torch.from_numpy(load_digits().test_images[:COUNT])
    # At n = 100 both are far above the floor; the factor leaves room for the draw of the 100.
    assert metric.fd_to_train(samples) < 1.5 * metric.fd_to_train(real)


def test_teacher_forced_noise_is_predicted(model: DiT) -> None:
    clean = torch.from_numpy(load_digits().test_images[:COUNT])
    labels = torch.from_numpy(load_digits().test_labels[:COUNT])
    noise = load_noise(COUNT).noise
    for step, least in ((100, 3.0), (500, 10.0), (900, 18.0)):
        t = torch.full((COUNT,), step)
        assert sqnr_db(noise, model(add_noise(clean, noise, t), t, labels)) > least, step


def test_guidance_keeps_the_class(model: DiT) -> None:
    stored = load_noise(50)
    guided = ddim_sample(model, stored.noise, stored.labels, cfg_scale=1.5)
    assert load_metric().accuracy(guided, stored.labels) > 0.95


def test_seam_round_trip_is_bit_identical_on_images(model: DiT) -> None:
    stored = load_noise(20)
    linears = block_linears(model)
    own = {name: lambda x, name=name: linears[name](x) for name in linears}
    plain = ddim_sample(model, stored.noise, stored.labels)
    assert torch.equal(ddim_sample(with_linears(model, own), stored.noise, stored.labels), plain)


def test_damaged_linears_are_seen_by_every_metric(model: DiT, samples: Tensor) -> None:
    stored, metric = load_noise(COUNT), load_metric()
    coarse = {
        name: lambda x, linear=linear: linear((x * 2).round() / 2)
        for name, linear in block_linears(model).items()
    }
    damaged = ddim_sample(with_linears(model, coarse), stored.noise, stored.labels)
    assert metric.fd_between(samples, damaged) > 1e-3
    assert paired_mse(samples, damaged) > 1e-4
    assert sqnr_db(samples, damaged) < 40


def test_card_states_the_checkpoint_it_describes() -> None:
    text = (DATA_DIR / DIGITS.card_file).read_text()
    _, metadata = load_digits_dit()
    size = (DATA_DIR / DIGITS.checkpoint_file).stat().st_size
    assert f"{size:,} bytes" in text
    assert f"| loss | {metadata['loss']} " in text
    assert "Alpaydin" in text
    assert "confirmed at UCI" in text


def test_card_figures_are_those_of_the_committed_samples(samples: Tensor) -> None:
    """The card's accuracy of 1000 samples fits that of the first 100."""
    text = (DATA_DIR / DIGITS.card_file).read_text()
    row = re.search(r"\| generated, stored noise \| 1000 \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", text)
    assert row is not None
    distance, _, accuracy = (float(x) for x in row.groups())
    assert accuracy >= 0.985
    assert distance <= 0.30
    found = load_metric().accuracy(samples, load_noise(COUNT).labels)
    assert abs(found - accuracy) < 5 * (accuracy * (1 - accuracy) / COUNT) ** 0.5 + 0.01


def test_card_template_renders_every_figure(
    model: DiT, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def instant(model: DiT, noise: Tensor, labels: Tensor, **options: float) -> Tensor:
        return noise.clamp(-1, 1)

    monkeypatch.setattr(image_card, "ddim_sample", instant)
    stages: list[str] = []
    figures = image_card.measure(DIGITS, model, load_metric(), load_digits(), seeds=2, progress=stages.append)
    text = image_card.card(DIGITS, figures, load_digits_dit()[1], 1234)
    assert stages == ["stored noise", "noise seed 0", "noise seed 1", "50 steps", "guidance 1.5"]
    assert "1,234 bytes" in text
    # Clipped noise is no digit: far from training in both spaces.
    assert figures["stored"]["fd_cnn"] > 10
    assert figures["memory"]["generated"]["near"] == 0
    assert figures["floor"][1000]["fd_seeds"].mean < figures["floor"][360]["fd_seeds"].mean
