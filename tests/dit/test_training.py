"""The training loops and scripts on sizes that take seconds."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from fpsim.dit import evaluate, train
from fpsim.dit.checkpoint import load_digits_dit, load_noise
from fpsim.dit.digits import load_digits
from fpsim.dit.metrics import load_metric
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.training import TrainSettings, train_dit, train_metric_net

TINY = DiTConfig(hidden=16, depth=1, heads=2)


def app(command: Any) -> typer.Typer:
    made = typer.Typer()
    made.command()(command)
    return made


def digit_tensors() -> tuple[torch.Tensor, torch.Tensor]:
    digits = load_digits()
    return torch.from_numpy(digits.train_images), torch.from_numpy(digits.train_labels)


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
    images, labels = digit_tensors()
    settings = TrainSettings(steps=40, batch=32, lr=5e-3, warmup=5, ema=0.9)
    seen: list[tuple[int, int]] = []
    first = train_dit(images, labels, TINY, settings, lambda *p: seen.append(p))
    again = train_dit(images, labels, TINY, settings, lambda *p: None)
    assert seen == [(k + 1, 40) for k in range(40)]
    # A model that predicts zero has the loss 1, the variance of the noise.
    assert first.loss < 0.9
    assert first.loss == again.loss
    assert all(torch.equal(again.state[name], value) for name, value in first.state.items())
    DiT(TINY).load_state_dict(first.state, strict=True)
    assert torch.equal(first.state["pos_embed"], DiT(TINY).pos_embed)
    other = train_dit(images, labels, TINY, TrainSettings(steps=2, warmup=1, seed=1), lambda *p: None)
    assert not torch.equal(other.state["x_embedder.proj.bias"], first.state["x_embedder.proj.bias"])


def test_classifier_learns() -> None:
    images, labels = digit_tensors()
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


def test_script_writes_a_set_that_loads(tmp_path: Path) -> None:
    out = tmp_path / "set"
    arguments = ["--out", str(out), "--steps", "2", "--batch", "8", "--metric-epochs", "1", "--seed", "5"]
    result = CliRunner().invoke(app(train.main), arguments)
    assert result.exit_code == 0, result.output
    model, metadata = load_digits_dit(out)
    assert (metadata["steps"], metadata["seed"], metadata["parameters"]) == ("2", "5", "1060036")
    assert model.config == DiTConfig()
    assert load_metric(out).train["cnn"].mean.shape == (32,)
    assert load_noise(directory=out).noise.shape == (1000, 1, 8, 8)
    assert len(json.loads((out / "manifest.json").read_text())["files"]) == 3


def test_script_refuses_bad_options_and_writes_nothing(tmp_path: Path) -> None:
    for bad in (["--steps", "0"], ["--lr", "-1"], ["--threads", "0"], ["--metric-epochs", "0"]):
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
    assert evaluate.nearest_distances(images, train_images).tolist() == [2.0, 1.0]
    assert evaluate.spread([1.0, 3.0]) == evaluate.Spread(2.0, 2**0.5)
    with pytest.raises(ValueError, match="values: 1"):
        evaluate.spread([1.0])
