"""The noise schedule and the DDIM sampler.

Schedule: arXiv 2006.11239 section 4 (1000 linear betas from 1e-4 to 0.02), which DiT keeps (2212.09748, 4).
Sampler: arXiv 2010.02502 equation 12 at eta = 0; guidance: arXiv 2207.12598 equation 6.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TRAIN_STEPS = 1000
BETA_FIRST = 1e-4
BETA_LAST = 0.02

Images = Tensor  # by this name, floors that do not know torch speak of image sets
EpsModel = Callable[[Tensor, Tensor, Tensor], Tensor]


@cache
def _alpha_bars() -> NDArray[np.float64]:
    betas = np.linspace(BETA_FIRST, BETA_LAST, TRAIN_STEPS, dtype=np.float64)
    bars: NDArray[np.float64] = np.cumprod(1.0 - betas, dtype=np.float64)
    bars.flags.writeable = False
    return bars


def alpha_bars() -> NDArray[np.float64]:
    """Share of signal power left at each timestep: float64 (1000,), falling from 0.9999 to 4.0e-5.

    Entry `t` is the product of `1 - beta` over timesteps 0 to t. The array is read-only.
    """
    return _alpha_bars()


def add_noise(clean: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Forward process: `sqrt(abar_t) clean + sqrt(1 - abar_t) noise`.

    Args:
        clean: float32 (B, C, S, S) in [-1, 1].
        noise: float32, standard normal, the shape of `clean`.
        t: int64 (B,), 0 to 999.

    Returns:
        float32, the shape of `clean`.
    """
    if clean.shape != noise.shape or t.shape != clean.shape[:1]:
        raise ValueError(
            f"clean, noise, t: shapes {tuple(clean.shape)}, {tuple(noise.shape)}, {tuple(t.shape)}; "
            f"expected two equal image shapes and one timestep per image"
        )
    bars = torch.from_numpy(alpha_bars().copy())[t]
    view = (-1,) + (1,) * (clean.ndim - 1)
    return bars.sqrt().float().view(view) * clean + (1 - bars).sqrt().float().view(view) * noise


def ddim_timesteps(steps: int) -> tuple[int, ...]:
    """The timesteps that a sampler visits: `steps` even positions from 999 down to 0, rounded to integers.

    Args:
        steps: 2 to 1000.

    Returns:
        Falling distinct integers, first 999, last 0.
    """
    if not 2 <= steps <= TRAIN_STEPS:
        raise ValueError(f"steps={steps!r}: expected 2 to {TRAIN_STEPS}")
    return tuple(int(t) for t in np.linspace(TRAIN_STEPS - 1, 0, steps).round())


def _guided_eps(model: EpsModel, x: Tensor, t: Tensor, labels: Tensor, scale: float, null: Tensor) -> Tensor:
    """`eps(null) + scale (eps(label) - eps(null))`; one doubled batch, or the plain model at scale 1."""
    if scale == 1.0:
        return model(x, t, labels)
    both = model(torch.cat([x, x]), torch.cat([t, t]), torch.cat([labels, null.expand_as(labels)]))
    conditional, unconditional = both.chunk(2)
    return unconditional + scale * (conditional - unconditional)


def _check_sampling(noise: Tensor, labels: Tensor, null: Tensor, batch: int, cfg_scale: float) -> None:
    if noise.ndim != 4 or labels.ndim not in (1, 2) or labels.shape[0] != noise.shape[0]:
        raise ValueError(
            f"noise, labels: shapes {tuple(noise.shape)}, {tuple(labels.shape)}, "
            f"expected (N, C, S, S), (N,) or (N, c)"
        )
    if cfg_scale != 1.0 and null.shape != labels.shape[1:]:
        raise ValueError(
            f"null_label: shape {tuple(null.shape)}, expected {tuple(labels.shape[1:])} as one of labels"
        )
    if batch < 1:
        raise ValueError(f"batch={batch!r}: expected at least 1")
    if not 0.0 <= cfg_scale < float("inf"):
        raise ValueError(f"cfg_scale={cfg_scale!r}: expected a finite number of at least 0")


@torch.no_grad()
def ddim_sample(
    model: EpsModel,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
    cfg_scale: float = 1.0,
    null_label: int | tuple[int, ...] = 10,
    batch: int = 250,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Generate images from noise, deterministically: DDIM at eta = 0, predicted image clipped to [-1, 1].

    Each step predicts the image `x0 = (x - sqrt(1 - abar) eps) / sqrt(abar)`, clips it, recomputes the noise
    that the clipped image implies, and moves to the next timestep; after timestep 0 the image itself remains.

    Args:
        model: eps(x, t, labels) -> float32 of x's shape; a `DiT` or anything called the same way.
        noise: float32 (N, C, S, S), standard normal.
        labels: int64 (N,), classes; or (N, c) for a model whose condition has several parts.
        steps: sampler steps, 2 to 1000.
        cfg_scale: guidance; 1 is none and calls the model once per step, anything else doubles the batch.
        null_label: the null class, or null condition of the shape of one of `labels`; used by guidance only.
        batch: images per call of the model (before doubling).
        progress: called after every step of every batch with (image-steps done, image-steps in all).

    Returns:
        float32 (N, C, S, S) in [-1, 1].

    Raises:
        ValueError: on illegal arguments, or if the model's output has NaN or another shape.
    """
    null = torch.tensor(null_label, dtype=torch.int64)
    _check_sampling(noise, labels, null, batch, cfg_scale)
    timesteps = ddim_timesteps(steps)
    bars = [float(alpha_bars()[t]) for t in timesteps] + [1.0]
    images, done, total = [], 0, len(noise) * steps
    for x, y in zip(torch.split(noise, batch), torch.split(labels, batch), strict=True):
        for i, step in enumerate(timesteps):
            t = torch.full((len(x),), step, dtype=torch.int64)
            eps = _guided_eps(model, x, t, y, cfg_scale, null)
            if eps.shape != x.shape or bool(eps.isnan().any()):
                raise ValueError(f"model: at timestep {step} gave shape {tuple(eps.shape)} or NaN")
            clean = ((x - (1 - bars[i]) ** 0.5 * eps) / bars[i] ** 0.5).clamp(-1, 1)
            implied = (x - bars[i] ** 0.5 * clean) / (1 - bars[i]) ** 0.5
            x = bars[i + 1] ** 0.5 * clean + (1 - bars[i + 1]) ** 0.5 * implied
            done += len(x)
            if progress is not None:
                progress(done, total)
        images.append(x)
    return torch.cat(images) if images else noise.clone()
