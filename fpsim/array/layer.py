"""One linear layer, executed as the machine runs it, on the kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.kernels.decode import decode_operand
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.mac_array import mac_array_decoded
from fpsim.kernels.rows import quantize_rows


class Machine:
    """The accelerator of one configuration, loaded with the programs of a model's layers.

    Weights are decoded once, when a program is loaded; a row's result depends on nothing but the row.
    """

    def __init__(self, config: ArrayConfig, programs: list[LayerProgram]) -> None:
        self.config = config
        self.programs = {program.name: program for program in programs}
        if len(self.programs) != len(programs):
            raise ValueError("programs: expected distinct names")
        for program in programs:
            program.check(config.unit)
        self._weights = {p.name: decode_operand(p.weight_codes, p.weight_fmt) for p in programs}

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
        program = self._program(name, x)
        unit = self.config.unit
        codes, row_scale, special = quantize_rows(
            x,
            guard_bits=unit.guard_bits,
            hadamard_n=None if program.signs is None else unit.hadamard_n,
            signs=program.signs,
            fmt=program.act_fmt,
            static=None if program.static is None else (program.static.exp, program.static.amp),
        )
        if special.any():
            row = int(np.flatnonzero(special)[0])
            raise ValueError(f"{name}: row {row} of x has an Inf or a NaN; the machine refuses such rows")
        acc = mac_array_decoded(
            decode_operand(codes, program.act_fmt),
            self._weights[name],
            program.act_fmt,
            program.weight_fmt,
            unit.acc_bits,
        )
        return epilogue(acc, row_scale, program.col_scale, program.bias)

    def _program(self, name: str, x: NDArray[np.uint16]) -> LayerProgram:
        if name not in self.programs:
            raise ValueError(f"name={name!r}: expected one of {', '.join(self.programs)}")
        program = self.programs[name]
        k = program.shape[1]
        if x.ndim != 2 or x.shape[1] != k or x.dtype != np.uint16:
            raise ValueError(f"x: {x.dtype} {x.shape} for {name}, expected uint16 FP16 bits (M, {k})")
        return program
