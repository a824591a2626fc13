"""A recipe turns a floating-point DiT into programs for the machine: the seam where methods plug in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.model import DiT


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was seen of the floating-point model.

    Attributes:
        amax: largest input magnitude of every block linear over timesteps, tokens and images.
    """

    amax: dict[str, float]


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A recipe's result.

    Attributes:
        recipe: the recipe's name.
        model: a floating-point DiT whose linears the programs stand for: the original's function, with
            whatever the recipe folded into its weights.
        programs: one per block linear, in execution order.
    """

    recipe: str
    model: DiT
    programs: list[LayerProgram]


class Recipe(Protocol):
    """How to quantize a model."""

    @property
    def name(self) -> str:
        """Short name, as tables show it."""

    @property
    def title(self) -> str:
        """One line for people."""

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """The programs of all block linears. The model itself is not changed."""
