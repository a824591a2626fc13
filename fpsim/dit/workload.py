"""The embedded workload by name: the digits model as trained, and its variant with synthetic outliers."""

from __future__ import annotations

from torch import Tensor

from fpsim.dit.checkpoint import NOISE_IMAGES, load_digits_dit, load_noise
from fpsim.dit.model import DiT
from fpsim.dit.stress import add_outliers

MODELS = {
    "digits": "as trained",
    "digits-stress": "synthetic outlier channels, the same FP32 function",
}
CALIBRATION_IMAGES = 60


def load_model(name: str) -> DiT:
    """A model by name (see `MODELS`), in FP32.

    Raises:
        ValueError: an unknown name.
        DataFileError: the checkpoint is missing, truncated or altered.
    """
    if name not in MODELS:
        raise ValueError(f"model={name!r}: expected one of {', '.join(MODELS)}")
    model, _ = load_digits_dit()
    return add_outliers(model) if name == "digits-stress" else model


def calibration_noise() -> tuple[Tensor, Tensor]:
    """Starting noise and labels of the calibration images: the last 60 of the stored 1000."""
    stored = load_noise(NOISE_IMAGES)
    return stored.noise[-CALIBRATION_IMAGES:], stored.labels[-CALIBRATION_IMAGES:]
