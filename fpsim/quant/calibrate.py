"""What a recipe may know of a model beforehand: statistics of its linears' inputs on calibration images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.hooks import observe
from fpsim.dit.model import DiT


def input_amax(
    model: DiT,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Largest magnitude at the input of every block linear over a whole sampling run.

    Args:
        model: the floating-point model.
        noise: float32 (B, C, S, S), starting noise of the calibration images.
        labels: int64 (B,).
        steps: DDIM steps.
        progress: called as `ddim_sample` calls it.

    Returns:
        Layer name to max |x| over images, tokens, channels and timesteps.
    """
    amax: dict[str, float] = {}

    def see(name: str, x: Tensor) -> None:
        amax[name] = max(amax.get(name, 0.0), float(x.abs().max()))

    with observe(model, see), torch.inference_mode():
        ddim_sample(model, noise, labels, steps=steps, progress=progress)
    return amax
