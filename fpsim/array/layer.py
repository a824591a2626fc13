"""The accelerator, loaded with the layers of a model."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.protocol import Program


class Machine:
    """The accelerator of one configuration, loaded with the programs of a model's layers.

    Weights are decoded once, when a program is loaded; a row's result depends on nothing but the row.
    """

    def __init__(self, config: ArrayConfig, programs: Iterable[Program]) -> None:
        self.config = config
        self.programs: dict[str, Program] = {}
        for program in programs:
            if program.name in self.programs:
                raise ValueError(f"programs: {program.name} twice, expected distinct names")
            program.check(config.unit)
            self.programs[program.name] = program
        self._runs = {name: program.load(config.unit) for name, program in self.programs.items()}

    def run(self, name: str, x: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Run a layer on FP16 rows.

        Args:
            name: a loaded program's name.
            x: uint16 (M, K), FP16 bits, finite.

        Returns:
            uint16 (M, N), FP16 bits.

        Raises:
            ValueError: an unknown layer, a wrong shape or dtype, an Inf or NaN in a row.
        """
        if name not in self.programs:
            raise ValueError(f"name={name!r}: expected one of {', '.join(self.programs)}")
        k = self.programs[name].shape[1]
        if x.ndim != 2 or x.shape[1] != k or x.dtype != np.uint16:
            raise ValueError(f"x: {x.dtype} {x.shape} for {name}, expected uint16 FP16 bits (M, {k})")
        return self._runs[name](x)
