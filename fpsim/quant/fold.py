"""Per-channel scales and shifts of a linear's input, folded offline into the weights around it.

A linear y = W x + b computes the same from x' = (x - z) / s with W' = W diag(s) and b' = b + W z. Where the
layer before it is linear in the channel, that layer can give x' itself, and nothing is done at run time:

- qkv and fc1 of a `DiT` see LN(h) (1 + γ) + β. γ and β are rows of the adaLN projection, so its γ and β rows
  are divided by s, its γ bias b becomes (1 + b) / s - 1, its β bias (b - z) / s. HTG (arXiv 2503.06930,
  equation 6) states it for γ and β; that the projection before them is linear makes it entirely offline.
- proj sees P V, and the rows of a softmax P sum to 1: P (V - 1 zᵀ) diag(1/s) = (P V - 1 zᵀ) diag(1/s). So the
  value rows of qkv (or of the cross attention's kv) are divided by s and their bias becomes (b - z) / s.

fc2 follows a GELU, which no scale passes: for it, hand 1/s to `Phase.input_scale`. The blocks of a `VideoDiT`
share one projection of the timestep, which cannot hold a scale of its own for each block.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fpsim.dit.hooks import BlockModel, M, block_linears
from fpsim.dit.model import DiT
from fpsim.quant.linears import bias_of, weight_of

# Linear behind a modulated norm: the places of its shift and its scale among the six adaLN outputs.
_MODULATED = {"attn.qkv": (0, 1), "mlp.fc1": (3, 4)}
# Linear behind an attention: the linear whose last rows are the values.
_VALUES = {"attn.proj": "attn.qkv", "attn_temp.proj": "attn_temp.qkv", "cross_attn.proj": "cross_attn.kv"}

Channels = Mapping[str, NDArray[np.floating]]


def can_fold(model: BlockModel, name: str) -> bool:
    """Whether the layers before the block linear `name` can take a scale and a shift of its input."""
    return _inner(name) in _VALUES or (isinstance(model, DiT) and _inner(name) in _MODULATED)


def fold_inputs(model: M, scale: Channels, shift: Channels | None = None) -> M:
    """A copy of the model that computes the same, whose named linears are fed (x - shift) / scale.

    Exact in real arithmetic; the folded weights are computed in float64 and rounded once to float32 for each
    layer that they take part in. Weights depend on the scales alone, and the shifts move biases only: models
    folded with the same scales share their weights' values.

    Args:
        model: its block linears not replaced.
        scale: layer name to float (K,), positive and finite; a layer without one keeps scale 1.
        shift: layer name to float (K,), finite; a layer without one keeps shift 0.

    Raises:
        ValueError: a layer that is unknown or that nothing before it can be folded into (see `can_fold`), a
            wrong shape, or an illegal value.
    """
    shift = shift or {}
    result = copy.deepcopy(model)
    linears = block_linears(result)
    for name in [*scale, *(name for name in shift if name not in scale)]:
        if name not in linears or not can_fold(model, name):
            foldable = ", ".join(n for n in linears if can_fold(model, n))
            raise ValueError(f"scale, shift: {name!r}: expected one of {foldable}")
        k = linears[name].in_features
        s = _channels("scale", name, scale.get(name, np.ones(k)), k)
        z = _channels("shift", name, shift.get(name, np.zeros(k)), k)
        if not (s > 0).all():
            raise ValueError(f"scale: {name}: smallest {s.min()}, expected positive factors")
        weight, bias = weight_of(linears[name]), bias_of(linears[name])
        assign(linears[name], weight * s, bias + _product(weight, z))
        if _inner(name) in _VALUES:
            _into_values(linears[_block(name) + _VALUES[_inner(name)]], s, z)
        else:
            adaln = result.get_submodule(_block(name) + "adaLN_modulation.1")
            assert isinstance(adaln, nn.Linear)
            _into_modulation(adaln, _MODULATED[_inner(name)], s, z)
    return result


def share_equal(model: M, other: M) -> M:
    """Let `model` hold the parameters of `other`, the same objects, where they are equal bit for bit.

    Phases that differ in a few biases then cost no more memory than those. Neither must be trained on.

    Returns:
        The model itself.
    """
    for name, parameter in other.named_parameters():
        parent, _, leaf = name.rpartition(".")
        module = model.get_submodule(parent)
        if torch.equal(module.get_parameter(leaf), parameter):
            setattr(module, leaf, parameter)
    return model


def assign(linear: nn.Linear, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
    """Store float64 (N, K) and (N,) in a linear, rounded to float32."""
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight))
        linear.bias.copy_(torch.from_numpy(bias))


def _product(weight: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """W z, added up in the order of the channels: a BLAS would give other last bits with other threads."""
    sums: NDArray[np.float64] = np.add.accumulate(weight * z, axis=1)[:, -1]
    return sums


def _into_values(linear: nn.Linear, s: NDArray[np.float64], z: NDArray[np.float64]) -> None:
    weight, bias = weight_of(linear), bias_of(linear)
    values = slice(len(weight) - len(s), len(weight))
    weight[values] /= s[:, None]
    bias[values] = (bias[values] - z) / s
    assign(linear, weight, bias)


def _into_modulation(
    adaln: nn.Linear, places: tuple[int, int], s: NDArray[np.float64], z: NDArray[np.float64]
) -> None:
    weight, bias = weight_of(adaln), bias_of(adaln)
    beta, gamma = (slice(len(s) * place, len(s) * (place + 1)) for place in places)
    weight[gamma] /= s[:, None]
    weight[beta] /= s[:, None]
    bias[gamma] = (1 + bias[gamma]) / s - 1
    bias[beta] = (bias[beta] - z) / s
    assign(adaln, weight, bias)


def _channels(argument: str, name: str, values: NDArray[np.floating], k: int) -> NDArray[np.float64]:
    if values.shape != (k,) or not np.isfinite(values).all():
        raise ValueError(f"{argument}: {name}: shape {values.shape}, expected ({k},) finite values")
    return values.astype(np.float64)


def _inner(name: str) -> str:
    """'blocks.3.attn.qkv' to 'attn.qkv'."""
    return ".".join(name.split(".")[2:])


def _block(name: str) -> str:
    """'blocks.3.attn.qkv' to 'blocks.3.'."""
    return ".".join(name.split(".")[:2]) + "."
