"""The baseline: static per-tensor scales from the largest value seen, no rotation."""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import OperandChoice, program_layer, static_scale


@dataclass(frozen=True)
class NaiveStatic:
    """MinMax W4A4: one weight scale and one activation scale per layer, fixed before the run."""

    fmt: str = "e2m1"
    name: str = "naive-w4a4"
    title: str = "W4A4 E2M1, static per-tensor scales, no rotation"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Code every block linear as it is."""
        choice = OperandChoice(self.fmt, self.fmt, "tensor")
        programs = [
            program_layer(
                name,
                weight_of(linear),
                bias_of(linear),
                choice,
                static=static_scale(calibration.amax[name], config.unit),
            )
            for name, linear in block_linears(model).items()
        ]
        return QuantizedModel.single(self.name, model, programs)
