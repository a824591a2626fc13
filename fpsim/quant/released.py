"""ViDiT-Q W8A8 as its released code quantizes and computes: every rounding of the CUDA kernels.

Source: thu-nics/ViDiT-Q, kernels/viditq_extension/nn/qlinear.py @5598f53 (weights, in FP16 arithmetic) and
the kernels that `fpsim.arith.viditq_released` names. The released pipeline adds channel balancing and mixed
precision elsewhere; this recipe is the arithmetic alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.released import ReleasedProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits

LEVELS = 255
HALF_RANGE = 128
INT16_MAX = (1 << 15) - 1


@dataclass(frozen=True)
class ReleasedW8A8:
    """W8A8: dynamic per-token activations, asymmetric per-channel weights, roundings as released."""

    name: str = "vidit-q-w8a8-released"
    title: str = "ViDiT-Q W8A8, arithmetic of the released CUDA kernels"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Code every block linear as it is."""
        programs = [
            program_released(name, weight_of(linear), bias_of(linear))
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)


def program_released(name: str, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> ReleasedProgram:
    """Quantize a layer's weights in FP16 arithmetic: every operation float32, then rounded to FP16.

    scale = (max − min) / 255; zero = round(min / scale) + 128; code = clamp(round(w / scale) − zero, −128,
    127). A channel of one value v has scale |v|, or 1 for v = 0 (ours; the source divides by 0).

    Args:
        name: the layer's name.
        weight: float64 (N, K), rounded to FP16 first.
        bias: float64 (N,).

    Raises:
        ValueError: values beyond FP16, or a zero point beyond 16 bits.
    """
    w = fp16_bits(weight, f"{name}: weight").view(np.float16).astype(np.float32)
    high, low = w.max(axis=1), w.min(axis=1)
    scale = _half(_half(high - low) / np.float32(LEVELS))
    flat = np.where(high == 0, np.float32(1), np.abs(high))
    scale = np.where(scale == 0, flat, scale)
    zero = _half(np.rint(_half(low / scale)) + np.float32(HALF_RANGE))
    if not (np.abs(zero) <= INT16_MAX).all():
        raise ValueError(f"{name}: zero point {float(np.abs(zero).max())}: expected at most {INT16_MAX}")
    codes = _half(np.rint(_half(w / scale[:, None])) - zero[:, None])
    return ReleasedProgram(
        name,
        np.clip(codes, -HALF_RANGE, HALF_RANGE - 1).astype(np.int8),
        scale.astype(np.float16).view(np.uint16),
        zero.astype(np.int16),
        fp16_bits(bias, f"{name}: bias"),
    )


def _half(x: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return x.astype(np.float16).astype(np.float32)
