"""HQ-DiT: hybrid FP4 formats, random Hadamard transforms and GPTQ (Liu and Zhang, arXiv 2405.19751).

From the paper: 4-bit floats for weights and activations of every linear in the blocks; the format of a
layer's weights by how far down they reach; random Hadamard transforms of the activations, undone in the
weights; GPTQ on 512 calibration samples. What it leaves open is our choice, and an option here:

- The transform of qkv, fc1 and fc2 is online, and as wide as the layer where its width is 2^k, 12 · 2^k or
  36 · 2^k (QuaRot's construction): the modulated norms and the GELU before them do not commute with it. That
  of proj stays within heads and costs nothing (`fpsim.quant.rotated_layers`).
- Activations are E2M1 under one dynamic scale per token. Weights are clipped to the smallest squared error,
  under one scale per output channel, and their formats chosen after the transform.
- GPTQ's H is that of the rows that the array multiplies: transformed and quantized.
- Embeddings, adaLN, attention and the final layer stay in floating point.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.dit.model import DiT
from fpsim.quant.array_rows import array_rows
from fpsim.quant.balance import balance, no_factors
from fpsim.quant.calibration import Calibration
from fpsim.quant.clipping import Clipping, clipped_grid
from fpsim.quant.fp_formats import ALPHA, THRESHOLDS, by_error, by_reach
from fpsim.quant.gptq import gptq, second_moments
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotated_layers import RotatedLayer, Width, fold_heads, rotated_layers
from fpsim.quant.scales import OperandChoice, program_layer, static_scale

SEED = 0


@dataclass(frozen=True)
class HQDiT:
    """W4A4 hybrid FP4.

    Attributes:
        act_fmt: format of the activations, or "reach": each layer's by HQ-DiT's statistic, over its rows as
            the quantizer sees them.
        weight_fmt: format of the weights, or how each layer's is chosen: "reach" by HQ-DiT's statistic,
            "error" by the smallest squared error, the yardstick that the statistic is held to.
        alpha: of the statistic (`fpsim.quant.fp_formats`).
        thresholds: of the weights' statistic; None: those that go with `clipping`.
        clipping: of the weights (`fpsim.quant.clipping`).
        hadamard: "full", a block size, or None for no transform.
        gptq: whether errors are compensated; else weights go to the nearest values.
        activation: "token": one dynamic scale per row. "channel": besides, every channel is divided by its
            largest calibrated magnitude before the transform, and the weights grow by it; the layers before
            take the factor up, for fc2 the host. "tensor": one static scale per layer, for the
            largest magnitude that calibration saw behind the transform.
        keep: patterns of layers that stay in floating point, such as "*.mlp.fc2".
        seed: seed of the random sign vectors.
    """

    act_fmt: str = "reach"
    weight_fmt: str = "reach"
    alpha: float = ALPHA
    thresholds: tuple[float, float] | None = None
    clipping: Clipping = "mse"
    hadamard: Width = "full"
    gptq: bool = True
    activation: Literal["token", "channel", "tensor"] = "token"
    keep: tuple[str, ...] = ()
    seed: int = SEED
    name: str = "hq-dit-w4a4"
    title: str = "HQ-DiT W4A4: hybrid FP4, full Hadamard transforms, GPTQ"

    def __post_init__(self) -> None:
        if self.activation not in ("token", "channel", "tensor"):
            raise ValueError(f"activation={self.activation!r}: expected token, channel or tensor")

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Fold what can be folded, then transform, choose a format and code, layer by layer."""
        balanced = no_factors(model, calibration.rows)
        if self.activation == "channel":
            factors = {name: channel_factors(seen) for name, seen in calibration.channel_amax.items()}
            balanced = balance(model, factors, calibration.rows)
        programs = [
            self._program(layer, config.unit)
            for layer in rotated_layers(balanced, self.hadamard, self.seed)
            if not any(fnmatchcase(layer.name, pattern) for pattern in self.keep)
        ]
        folded = fold_heads(balanced.model, self.hadamard, self.seed)
        return QuantizedModel.single(self.name, folded, programs, balanced.input_scale)

    def choose_formats(self, layer: RotatedLayer) -> OperandChoice:
        """The formats of a layer's activations and weights."""
        act_fmt, weight_fmt = self.act_fmt, self.weight_fmt
        if act_fmt == "reach":
            act_fmt = by_reach(layer.quantizer_rows(), THRESHOLDS["max"], self.alpha)
        if weight_fmt == "error":
            n = layer.hadamard_n
            weight_fmt = by_error(layer.weight, OperandChoice(act_fmt), self.clipping, hadamard_n=n)
        if weight_fmt == "reach":
            weight_fmt = by_reach(layer.weight, self.thresholds or THRESHOLDS[self.clipping], self.alpha)
        return OperandChoice(act_fmt, weight_fmt)

    def _program(self, layer: RotatedLayer, unit: UnitConfig) -> LayerProgram:
        static = _static_scale(layer, unit) if self.activation == "tensor" else None
        return code_layer(
            layer, self.choose_formats(layer), self.clipping, unit, compensate=self.gptq, static=static
        )


def _static_scale(layer: RotatedLayer, unit: UnitConfig) -> StaticScale:
    """The scale of the largest calibrated magnitude; any, for a layer that only saw zeros."""
    largest = float(np.abs(layer.rows).max())
    if largest == 0 or layer.hadamard_n is None:
        return static_scale(largest or 1.0, unit)
    return static_scale(largest, unit, (float(np.abs(layer.quantizer_rows()).max()), layer.hadamard_n))


def code_layer(
    layer: RotatedLayer,
    choice: OperandChoice,
    clipping: Clipping,
    unit: UnitConfig,
    *,
    compensate: bool,
    static: StaticScale | None = None,
) -> LayerProgram:
    """Code a layer's weights on a clipped grid, by GPTQ on its quantized rows or to the nearest values.

    Args:
        layer: the layer.
        choice: its formats.
        clipping: of the weights.
        unit: the machine.
        compensate: whether by GPTQ.
        static: the activation scale if it is static.
    """
    grid = clipped_grid(layer.weight, choice, clipping, hadamard_n=layer.hadamard_n)
    codes = grid.codes(layer.weight)
    if compensate:
        seen = array_rows(
            layer.name,
            layer.rows,
            unit,
            fmt=choice.act_fmt,
            signs=layer.signs,
            n=layer.hadamard_n,
            static=static,
        )
        values = gptq(layer.weight, second_moments(seen), lambda column, _: grid.values(grid.codes(column)))
        codes = grid.codes(values)
    return program_layer(
        layer.name,
        layer.weight,
        layer.bias,
        choice,
        signs=layer.signs,
        hadamard_n=layer.hadamard_n,
        static=static,
        scale=grid.step,
        codes=codes,
    )


def channel_factors(amax: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64 (K,): each channel's largest magnitude over all timesteps (T, K), 1 being the median channel's.

    A channel that is always zero gets 1.
    """
    largest = amax.max(axis=0).astype(np.float64)
    alive = largest > 0
    middle = float(np.median(largest[alive])) if alive.any() else 1.0
    return np.where(alive, largest / middle, 1.0)
