"""Q-DiT's grid: asymmetric integers in groups along K, for weights and, per token, for activations.

arXiv 2406.17343; defaults of the released code (Juanerx/Q-DiT @5067d11, qdit/quant.py and
scripts/quant_main.py): both sides asymmetric, scale from the extremes of a group, dynamic activations. The
paper's search for a group size per layer is not done: one size for all layers. Ours, since the source is fake
quantization in float: scales rounded to FP16, a range that always holds 0 (see `fpsim.array.grouped`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.grouped import GroupedProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits

SMALLEST_SPAN = 1e-5
FP16_SMALLEST = 2.0**-24


@dataclass(frozen=True)
class GroupedIntegers:
    """Integers in groups.

    Attributes:
        weight_bits, act_bits: 2 to 8.
        group: elements under one scale.
    """

    weight_bits: int
    act_bits: int
    name: str
    title: str
    group: int = 32

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Code every block linear as it is."""
        programs = [
            program_groups(
                name, weight_of(linear), bias_of(linear), self.weight_bits, self.act_bits, self.group
            )
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)


def program_groups(
    name: str,
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    weight_bits: int,
    act_bits: int,
    group: int,
) -> GroupedProgram:
    """Quantize a layer's weights group by group: scale = FP16(span / (2^bits − 1)), then codes against it.

    Args:
        name: the layer's name.
        weight: float64 (N, K).
        bias: float64 (N,).
        weight_bits, act_bits, group: as `GroupedProgram` has them.

    Raises:
        ValueError: weights or biases that are not finite, or a span beyond FP16.
    """
    if not np.isfinite(weight).all() or not np.isfinite(bias).all():
        raise ValueError(f"{name}: weight, bias: expected finite values")
    k = weight.shape[1]
    starts = np.arange(0, k, group)
    sizes = np.diff([*starts, k])
    top = (1 << weight_bits) - 1
    high = np.maximum(np.maximum.reduceat(weight, starts, axis=1), 0)
    low = np.minimum(np.minimum.reduceat(weight, starts, axis=1), 0)
    ideal = np.maximum(high - low, SMALLEST_SPAN) / top
    scales = fp16_bits(np.maximum(ideal, FP16_SMALLEST), f"{name}: weight scales")
    step = scales.view(np.float16).astype(np.float64)
    zeros = np.minimum(np.rint(-low / step), top)
    codes = np.rint(weight / np.repeat(step, sizes, axis=1)) + np.repeat(zeros, sizes, axis=1)
    return GroupedProgram(
        name,
        act_bits,
        weight_bits,
        group,
        np.clip(codes, 0, top).astype(np.uint8),
        zeros.astype(np.uint8),
        scales,
        fp16_bits(bias, f"{name}: bias"),
    )


GROUPED_RECIPES = (
    GroupedIntegers(4, 8, "qdit-w4a8", "Q-DiT's grid, W4A8, groups of 32, asymmetric"),
    GroupedIntegers(4, 4, "qdit-w4a4", "Q-DiT's grid, W4A4, groups of 32, asymmetric"),
)
