"""The training loops and scripts on sizes that take seconds."""

from __future__ import annotations

import builtins
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from fpsim.dit import evaluate, image_card, train
from fpsim.dit.checkpoint import load_image_dit, load_noise
from fpsim.dit.digits import load_digits
from fpsim.dit.domains import DOMAINS
from fpsim.dit.files import read_verified, write_set
from fpsim.dit.metrics import load_metric
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.training import TrainSettings, train_dit, train_metric_net

TINY = DiTConfig(hidden=16, depth=1, heads=2)


IMAGES = [domain.name for domain in DOMAINS.values() if domain.kind == "image"]
BAD_OPTIONS = (
    ["--domain", "faces"],
    ["--steps", "0"],
    ["--lr", "-1"],
    ["--threads", "0"],
    ["--metric-epochs", "0"],
)


def app(command: Any) -> typer.Typer:
    made = typer.Typer()
    made.command()(command)
    return made


def test_digits_are_split_stratified_and_scaled() -> None:
    digits = load_digits()
    assert digits.train_images.shape == (1437, 1, 8, 8)
    assert digits.test_images.shape == (360, 1, 8, 8)
    both = np.concatenate([digits.train_images, digits.test_images])
    assert both.dtype == np.float32
    assert set(np.unique(both * 8 + 8)) == set(range(17))
    test, total = (np.bincount(x) for x in (digits.test_labels, np.append(*_labels(digits))))
    assert np.abs(test - total * 360 / 1797).max() < 1
    again = load_digits()
    np.testing.assert_array_equal(again.test_images, digits.test_images)


def _labels(digits: Any) -> tuple[Any, Any]:
    return digits.train_labels, digits.test_labels


def test_missing_scikit_learn_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("sklearn"):
            raise ModuleNotFoundError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "fpsim\[train\]"'):
        load_digits()


def test_training_lowers_the_loss_and_is_repeatable() -> None:
    images, labels = load_digits().train
    settings = TrainSettings(steps=40, batch=32, lr=5e-3, warmup=5, ema=0.9)
    seen: list[tuple[int, int]] = []
    build = partial(DiT, TINY)
    first = train_dit(images, labels, build, 10, settings, lambda *p: seen.append(p))
    again = train_dit(images, labels, build, 10, settings, lambda *p: None)
    assert seen == [(k + 1, 40) for k in range(40)]
    # A model that predicts zero has the loss 1, the variance of the noise.
    assert first.loss < 0.9
    assert first.loss == again.loss
    assert all(torch.equal(again.state[name], value) for name, value in first.state.items())
    DiT(TINY).load_state_dict(first.state, strict=True)
    assert torch.equal(first.state["pos_embed"], DiT(TINY).pos_embed)
    short = TrainSettings(steps=2, warmup=1, seed=1)
    other = train_dit(images, labels, build, 10, short, lambda *p: None)
    assert not torch.equal(other.state["x_embedder.proj.bias"], first.state["x_embedder.proj.bias"])


def test_a_condition_of_several_parts_is_dropped_as_a_whole() -> None:
    """The model sees rows as they were given, or the null row; never a mixture."""
    images = torch.zeros(40, 2, 3)
    conditions = torch.stack([torch.arange(40), 100 + torch.arange(40)], dim=1)
    seen: list[torch.Tensor] = []

    class Spy(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor, t: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
            seen.append(condition)
            return x * self.gain

    settings = TrainSettings(steps=20, batch=32, warmup=1, label_dropout=0.25)
    train_dit(images, conditions, Spy, (40, 7), settings, lambda *p: None)
    rows = torch.cat(seen)
    dropped = (rows == torch.tensor([40, 7])).all(dim=1)
    kept = rows[~dropped]
    assert torch.equal(kept[:, 1], kept[:, 0] + 100)
    # 640 draws at one quarter: five standard deviations.
    assert abs(int(dropped.sum()) - 160) < 5 * (640 * 0.25 * 0.75) ** 0.5
    with pytest.raises(ValueError, match=r"conditions: shape \(40, 2\), expected \(40,\)"):
        train_dit(images, conditions, Spy, 40, settings, lambda *p: None)


def test_classifier_learns() -> None:
    images, labels = load_digits().train
    net = train_metric_net(images, labels, epochs=2, seed=0, progress=lambda *p: None)
    # Ten equally likely classes start at the loss log 10 = 2.30.
    assert net.loss < 1.8


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"steps": 0}, "steps=0"),
        ({"batch": -1}, "batch=-1"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"ema": 1.0}, r"ema=1\.0"),
        ({"label_dropout": -0.1}, r"label_dropout=-0\.1"),
    ],
)
def test_illegal_settings_are_named(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        TrainSettings(**arguments)


@pytest.mark.parametrize("domain", IMAGES)
def test_script_writes_a_set_that_loads(domain: str, tmp_path: Path) -> None:
    out, own = tmp_path / "set", DOMAINS[domain]
    arguments = ["--domain", domain, "--out", str(out), "--seed", "5"]
    arguments += ["--steps", "2", "--batch", "8", "--metric-epochs", "1"]
    result = CliRunner().invoke(app(train.main), arguments)
    assert result.exit_code == 0, result.output
    model, metadata = load_image_dit(domain, out)
    count = str(sum(value.numel() for value in model.state_dict().values()))
    assert (metadata["steps"], metadata["seed"], metadata["parameters"]) == ("2", "5", count)
    assert model.config == own.config
    assert load_metric(domain, out).train["cnn"].mean.shape == (32,)
    assert load_noise(domain=domain, directory=out).noise.shape == (1000, *own.shape)
    assert len(json.loads((out / "manifest.json").read_text())["files"]) == 3


def test_script_keeps_what_other_domains_have(tmp_path: Path) -> None:
    write_set(tmp_path, {"other.bin": b"other"})
    arguments = ["--out", str(tmp_path), "--steps", "1", "--batch", "2", "--metric-epochs", "1"]
    result = CliRunner().invoke(app(train.main), arguments)
    assert result.exit_code == 0, result.output
    assert read_verified("other.bin", tmp_path) == b"other"
    assert load_noise(3, directory=tmp_path).noise.shape == (3, 1, 8, 8)


def test_script_refuses_bad_options_and_writes_nothing(tmp_path: Path) -> None:
    for bad in BAD_OPTIONS:
        result = CliRunner().invoke(app(train.main), ["--out", str(tmp_path / "set"), *bad])
        assert result.exit_code == 2, bad
    assert not (tmp_path / "set").exists()


def test_help_shows_an_example() -> None:
    for module in (train, evaluate):
        output = CliRunner().invoke(app(module.main), ["--help"]).output
        assert f"Example: python -m {module.__name__}" in " ".join(output.split())


def test_nearest_distances_and_spread() -> None:
    train_images = torch.zeros(2, 1, 8, 8)
    train_images[1] = 1
    images = torch.stack([torch.full((1, 8, 8), 0.25), torch.full((1, 8, 8), 0.875)])
    # 64 pixels: sqrt(64) times the offset per pixel.
    assert image_card.nearest_distances(images, train_images).tolist() == [2.0, 1.0]
    assert image_card.spread([1.0, 3.0]) == image_card.Spread(2.0, 2**0.5)
    with pytest.raises(ValueError, match="values: 1"):
        image_card.spread([1.0])
