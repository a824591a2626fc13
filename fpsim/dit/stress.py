"""Synthetic activation outliers that leave the FP32 function as it was.

Large diffusion transformers have activation channels far above the rest; the embedded digits model has them
only mildly. `add_outliers` multiplies a few channels of each modulated norm by a power of two and divides the
columns of the linear behind it by the same. The outliers are synthetic: which channels are large is fixed,
does not depend on the timestep, and a per-channel smoothing scale undoes it exactly.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT, DiTConfig

SEED = 0
# Linear behind a modulated norm: the places of its shift and its scale among the six adaLN outputs.
_MODULATED = {"attn.qkv": (0, 1), "mlp.fc1": (3, 4)}


def outlier_channels(config: DiTConfig, *, channels: int = 2, seed: int = SEED) -> dict[str, tuple[int, ...]]:
    """The input channels that `add_outliers` enlarges.

    Args:
        config: shape of the model.
        channels: channels per norm, 1 to `hidden`.
        seed: of the choice.

    Returns:
        Name of every qkv and fc1 to its distinct channel numbers.
    """
    if not 1 <= channels <= config.hidden:
        raise ValueError(f"channels={channels!r}: expected 1 to {config.hidden}")
    generator = torch.Generator().manual_seed(seed)
    return {
        f"blocks.{i}.{linear}": tuple(torch.randperm(config.hidden, generator=generator)[:channels].tolist())
        for i in range(config.depth)
        for linear in _MODULATED
    }


def add_outliers(model: DiT, *, alpha: float = 16.0, channels: int = 2, seed: int = SEED) -> DiT:
    """A copy of the model with outlier channels before every qkv and fc1, and the same function.

    A modulated norm is `n (1 + scale) + shift`, scale and shift being rows of the adaLN projection. A
    channel grows by `alpha` when its shift row and the weights of its scale row are multiplied by `alpha`
    and the bias `b` of its scale row becomes `alpha (1 + b) - 1`. The linear's matching column is divided
    by `alpha`. In real arithmetic the model's output does not change; in FP32 only its last bits do.

    Args:
        model: the model, its block linears not replaced.
        alpha: growth, a power of two of at least 2, so that multiplying and dividing weights are exact.
        channels: channels per norm, 1 to `hidden`.
        seed: of the choice of channels.

    Returns:
        A copy; the model itself is unchanged.

    Raises:
        ValueError: on an illegal argument, or if a block linear has been replaced.
    """
    if not 2 <= alpha < math.inf or math.frexp(alpha)[0] != 0.5:
        raise ValueError(f"alpha={alpha!r}: expected a power of two of at least 2")
    chosen = outlier_channels(model.config, channels=channels, seed=seed)
    result = copy.deepcopy(model)
    linears = block_linears(result)
    hidden = model.config.hidden
    with torch.no_grad():
        for name, places in chosen.items():
            block, _, linear = name.removeprefix("blocks.").partition(".")
            modulation = result.get_submodule(f"blocks.{block}.adaLN_modulation.1")
            assert isinstance(modulation, nn.Linear)
            shift, scale = (hidden * part + torch.tensor(places) for part in _MODULATED[linear])
            modulation.weight[shift] *= alpha
            modulation.bias[shift] *= alpha
            modulation.weight[scale] *= alpha
            modulation.bias[scale] = alpha * (1 + modulation.bias[scale]) - 1
            linears[name].weight[:, list(places)] /= alpha
    return result
