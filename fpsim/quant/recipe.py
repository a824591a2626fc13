"""A recipe turns a floating-point model into programs for the machine: the seam where methods plug in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.protocol import Program
from fpsim.dit.diffusion import TRAIN_STEPS
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration


@dataclass(frozen=True, eq=False)
class Phase:
    """What runs during a range of timesteps.

    Attributes:
        first: the range's first timestep in sampling order, its largest, 0 to 999.
        last: its last and smallest.
        model: a floating-point model whose linears the programs stand for: the original's function, with
            whatever the recipe folded into its weights. Linears without a program run on the host in FP32.
        programs: one per layer that the machine runs, in execution order.
        input_scale: layer name to float32 (K,): what the host multiplies into the layer's rows before it
            rounds them to FP16 (the channel balancing that no earlier layer can absorb). Absent: nothing.
    """

    first: int
    last: int
    model: DiT
    programs: Sequence[Program]
    input_scale: dict[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A recipe's result: phases that together cover every timestep.

    Attributes:
        recipe: the recipe's name.
        phases: in sampling order, from timestep 999 down to 0 without gap or overlap. Most recipes have one.
    """

    recipe: str
    phases: Sequence[Phase]

    def __post_init__(self) -> None:
        expected = TRAIN_STEPS - 1
        for phase in self.phases:
            if phase.first != expected or not 0 <= phase.last <= phase.first:
                raise ValueError(
                    f"phases: {phase.first} to {phase.last}, expected a range that starts at {expected}"
                )
            expected = phase.last - 1
        if expected != -1:
            raise ValueError(f"phases: end above timestep {expected}, expected the last one to end at 0")

    @classmethod
    def single(
        cls,
        recipe: str,
        model: DiT,
        programs: Sequence[Program],
        input_scale: dict[str, NDArray[np.float32]] | None = None,
    ) -> QuantizedModel:
        """The same model and programs at every timestep."""
        return cls(recipe, [Phase(TRAIN_STEPS - 1, 0, model, programs, input_scale or {})])

    def phase_at(self, timestep: int) -> Phase:
        """The phase that a timestep (0 to 999) belongs to."""
        for phase in self.phases:
            if phase.last <= timestep <= phase.first:
                return phase
        raise ValueError(f"timestep={timestep}: expected 0 to {TRAIN_STEPS - 1}")

    @property
    def model(self) -> DiT:
        """The floating-point model of a single phase."""
        return self._only().model

    @property
    def programs(self) -> Sequence[Program]:
        """The programs of a single phase."""
        return self._only().programs

    def _only(self) -> Phase:
        if len(self.phases) != 1:
            raise ValueError(f"{self.recipe} has {len(self.phases)} phases: ask phase_at(timestep)")
        return self.phases[0]


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
