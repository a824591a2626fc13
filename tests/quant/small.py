"""A small model with weights everywhere and its calibration, for tests of recipes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from fpsim.array.config import ArrayConfig
from fpsim.array.protocol import Program
from fpsim.dit.model import DiT, DiTConfig
from fpsim.quant.calibration import Calibration, observe_model

NOISE = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(8)


@cache
def small_model() -> DiT:
    """hidden 48 = 12 · 4, two heads of 24 = 12 · 2; no branch is switched off by a zero gate."""
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=48, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return dit.eval().requires_grad_(False)


@cache
def small_calibration() -> Calibration:
    """What it feeds its linears at four timesteps."""
    return observe_model(small_model(), NOISE, LABELS, steps=4)


def at(model: object, timestep: int) -> torch.Tensor:
    """What a model (or an executed one) predicts for NOISE."""
    with torch.inference_mode():
        result: torch.Tensor = model(NOISE, torch.full((len(NOISE),), timestep), LABELS)  # type: ignore[operator]
    return result


def agree(program: Program) -> None:
    """A layer on the machine and its float imitation, on rows of the calibration.

    They differ by FP16's rounding and by activations near a boundary that fall to its other side: far less
    than the 4-bit codes themselves cost, some 15 % of the norm.
    """
    unit = ArrayConfig().unit
    rows = small_calibration().rows[program.name].astype(np.float16)
    real = program.load(unit)(rows.view(np.uint16)).view(np.float16).astype(np.float32)
    fake = program.fake(unit)(rows.astype(np.float32))
    assert 0 < np.linalg.norm(real - fake) < 0.02 * np.linalg.norm(fake)
