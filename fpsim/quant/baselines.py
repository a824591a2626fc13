"""Baselines that change nothing but the grid: scales from the largest magnitude, codes to the nearest.

HQ-DiT (arXiv 2405.19751) compares with "MinMax" quantization per channel. As a scale per input channel cannot
be taken out of a dot product, per channel means per output channel for weights and per token for activations.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipe import QuantizedModel, Recipe
from fpsim.quant.scales import OperandChoice, program_layer


@dataclass(frozen=True)
class MinMax:
    """Dynamic per-token and per-output-channel max scales.

    Attributes:
        fmt: format of weights and activations.
    """

    fmt: str
    name: str
    title: str

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Code every block linear as it is."""
        choice = OperandChoice(self.fmt, self.fmt)
        programs = [
            program_layer(name, weight_of(linear), bias_of(linear), choice)
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)


BASELINE_RECIPES: tuple[Recipe, ...] = (
    NaiveStatic("int4", "naive-int4", "W4A4 INT4, static per-tensor scales, no rotation"),
    MinMax("e2m1", "minmax-fp4", "MinMax W4A4 E2M1, per token and channel"),
    MinMax("int4", "minmax-int4", "MinMax W4A4 INT4, per token and channel"),
)
