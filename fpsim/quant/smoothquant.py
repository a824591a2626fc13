"""SmoothQuant (Xiao et al., arXiv 2211.10438): what makes activations hard to quantize goes into the weights.

Channel k of a layer's input is divided by s_k = max|X_k|^alpha / max|W_k|^(1 - alpha), and column k of its
weights grows by it (the paper's equation 4), alpha = 0.5. The paper folds s into the layer norm before; here
it goes into the adaLN projection (qkv, fc1) and the value rows (proj). No earlier layer can take fc2's, so
the host multiplies its rows. That is our choice, as are dynamic scales per token (the paper offers these and
coarser ones) and one scale per output channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.balance import balance
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotated_layers import rotated_layers
from fpsim.quant.scales import OperandChoice, program_layer

ALPHA = 0.5


def smoothing(
    amax: NDArray[np.float32], weight: NDArray[np.float64], alpha: float = ALPHA
) -> NDArray[np.float64]:
    """float64 (K,): max|X|^alpha / max|W|^(1 - alpha); 1 for a channel without signal or weight (ours).

    Args:
        amax: float32 (T, K), largest magnitudes of the channels at T timesteps.
        weight: float64 (N, K).
        alpha: 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r}: expected 0 to 1")
    x, w = amax.max(axis=0).astype(np.float64), np.abs(weight).max(axis=0)
    alive = (x > 0) & (w > 0)
    x, w = np.where(alive, x, 1.0), np.where(alive, w, 1.0)
    factors: NDArray[np.float64] = x**alpha / w ** (1 - alpha)
    return factors


@dataclass(frozen=True)
class SmoothQuant:
    """Smoothed layers on integer grids.

    Attributes:
        act_fmt: format of the activations, one dynamic scale per token.
        weight_fmt: format of the weights, one scale per output channel.
        alpha: of `smoothing`.
    """

    act_fmt: str
    weight_fmt: str
    name: str
    title: str
    alpha: float = ALPHA

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Smooth every block linear, then code it."""
        factors = {
            name: smoothing(calibration.channel_amax[name], weight_of(linear), self.alpha)
            for name, linear in block_linears(model).items()
        }
        balanced = balance(model, factors, calibration.rows)
        choice = OperandChoice(self.act_fmt, self.weight_fmt)
        programs = [
            program_layer(layer.name, layer.weight, layer.bias, choice)
            for layer in rotated_layers(balanced, None, 0)
        ]
        return QuantizedModel.single(self.name, balanced.model, programs, balanced.input_scale)


SMOOTH_RECIPES = tuple(
    SmoothQuant(act, weight, f"smoothquant-{bits}", f"SmoothQuant {bits.upper()} INT, per token and channel")
    for bits, weight, act in (("w8a8", "int8", "int8"), ("w4a8", "int4", "int8"), ("w4a4", "int4", "int4"))
)
