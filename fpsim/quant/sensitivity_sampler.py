"""Sampling that can be taken up again at any step: what precedes a quantized range is not repeated."""

from __future__ import annotations

import torch
from torch import Tensor

from fpsim.dit.diffusion import EpsModel, alpha_bars


@torch.inference_mode()
def trajectory(
    model: EpsModel, x: Tensor, labels: Tensor, timesteps: tuple[int, ...], first: int = 0
) -> list[Tensor]:
    """The states of a DDIM run from step `first` on, one batch, no guidance, as `ddim_sample` computes them.

    Args:
        model: eps(x, t, labels).
        x: float32 (N, C, S, S), the state before that step; starting noise for step 0.
        labels: int64 (N,) or (N, c).
        timesteps: all of the sampler's, in sampling order.
        first: index of the step to begin with, 0 to len(timesteps).

    Returns:
        The states before steps first, first + 1, ... and after the last one: the samples.
    """
    bars = [float(alpha_bars()[t]) for t in timesteps] + [1.0]
    states = [x]
    for i in range(first, len(timesteps)):
        eps = model(x, torch.full((len(x),), timesteps[i], dtype=torch.int64), labels)
        clean = ((x - (1 - bars[i]) ** 0.5 * eps) / bars[i] ** 0.5).clamp(-1, 1)
        implied = (x - bars[i] ** 0.5 * clean) / (1 - bars[i]) ** 0.5
        x = bars[i + 1] ** 0.5 * clean + (1 - bars[i + 1]) ** 0.5 * implied
        states.append(x)
    return states
