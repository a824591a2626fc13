"""FP16 throughout: the upper row of every table."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.array.half import HalfProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits


@dataclass(frozen=True)
class HalfPrecision:
    """FP16 weights, rows and results, FP32 sums."""

    name: str = "fp16"
    title: str = "FP16 operands, FP32 sums in order"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Round weights and biases to FP16."""
        programs = [
            HalfProgram(
                name,
                fp16_bits(weight_of(linear), f"{name}: weight"),
                fp16_bits(bias_of(linear), f"{name}: bias"),
            )
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)
