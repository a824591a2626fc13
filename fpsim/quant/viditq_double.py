"""What the released code's double quantization costs: Q(Q(W / c) R) against Q(W / c R), layer by layer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.sqnr import layer_sqnr
from fpsim.quant.viditq import ViDiTQ


@dataclass(frozen=True)
class DoubleCost:
    """Signal to quantization noise of one layer's output in dB, either way."""

    once: float
    twice: float

    @property
    def cost(self) -> float:
        """What the second quantization takes away, in dB."""
        return self.once - self.twice


def double_cost(
    recipe: ViDiTQ,
    model: DiT,
    calibration: Calibration,
    config: ArrayConfig,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
) -> dict[str, DoubleCost]:
    """Both ways on the floating-point model's own inputs, by layer (`layer_sqnr`).

    Args:
        recipe: whatever its `double`; it should rotate.
        model: the floating-point model.
        calibration: of the model.
        config: the machine.
        noise, labels: starting points of the samples to compare on.
        steps: DDIM steps.
    """
    once, twice = (
        layer_sqnr(
            replace(recipe, double=double).quantize(model, calibration, config),
            config,
            noise,
            labels,
            steps=steps,
        )
        for double in (False, True)
    )
    return {name: DoubleCost(decibel, twice[name]) for name, decibel in once.items()}
