"""One layer as ViDiT-Q quantizes it (arXiv 2406.02540): balanced, rotated, asymmetric codes on both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, passes
from fpsim.array.program import LayerProgram
from fpsim.quant.gptq import gptq, second_moments
from fpsim.quant.rotation import largest_transform, random_signs, rotate_columns
from fpsim.quant.scales import OperandChoice, program_layer, weight_grid

BITS = (4, 6, 8)
SEED = 0

F64 = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Width:
    """Bits of a layer's weight and activation codes: 4, 6 or 8 each."""

    weight: int
    activation: int

    def __post_init__(self) -> None:
        for field, bits in (("weight", self.weight), ("activation", self.activation)):
            if bits not in BITS:
                raise ValueError(f"{field}={bits!r}: expected 4, 6 or 8 bits")

    def __str__(self) -> str:
        return f"w{self.weight}a{self.activation}"

    @property
    def choice(self) -> OperandChoice:
        """Asymmetric integers: weights per output channel, activations per row."""
        return OperandChoice(
            f"int{self.activation}", f"int{self.weight}", "channel", weight_zero=True, act_zero=True
        )

    @property
    def passes(self) -> int:
        """Passes over the 4-bit array: W4A4 1, W4A8 2, W8A8 4."""
        return passes(self.choice.act_fmt, self.choice.weight_fmt)


@dataclass(frozen=True)
class LayerCoder:
    """How a layer becomes a program, whatever its width.

    Attributes:
        rotate: whether rows are rotated, after balancing, by a random-sign Hadamard matrix as wide as the
            layer (`largest_transform`); the machine rotates every layer's rows itself, as the released code.
        double: Q(Q(W / c) R) as the released code computes, which quantizes the balanced weights before it
            rotates them and once more after; False: Q(W / c R).
        gptq: weights by GPTQ instead of rounding to nearest; not in the paper.
        seed: of the rotations' signs.
    """

    rotate: bool = True
    double: bool = False
    gptq: bool = False
    seed: int = SEED

    def code(
        self,
        name: str,
        weight: F64,
        bias: F64,
        width: Width,
        config: ArrayConfig,
        *,
        factors: NDArray[np.float32] | None = None,
        rows: NDArray[np.float32] | None = None,
    ) -> LayerProgram:
        """The program of a layer.

        Args:
            name: the layer's name.
            weight: float64 (N, K), of the floating-point model.
            bias: float64 (N,).
            width: bits.
            config: the machine that is to run it.
            factors: float32 (K,), what the rows are multiplied with before they reach the machine.
            rows: float32 (S, K), what the layer is fed, before the factors; GPTQ needs them.

        Raises:
            ValueError: GPTQ without rows, or a program that the machine cannot run.
        """
        if factors is not None:
            weight = weight / factors
        if self.double:
            grid = weight_grid(weight, width.choice)
            weight = grid.values(grid.codes(weight))
        size = largest_transform(weight.shape[1]) if self.rotate else 1
        n = size if size > 1 else None
        signs = None if n is None else random_signs(weight.shape[1], self.seed, name)
        if n is not None and signs is not None:
            weight = rotate_columns(weight, n, signs)
        codes = None
        if self.gptq:
            if rows is None:
                raise ValueError(f"{name}: rows: expected calibration rows for GPTQ")
            fed = rows.astype(np.float64)
            if factors is not None:
                fed *= factors
            if n is not None and signs is not None:
                fed = rotate_columns(fed, n, signs)
            grid = weight_grid(weight, width.choice, hadamard_n=n)
            values = gptq(weight, second_moments(fed), lambda column, _: grid.values(grid.codes(column)))
            codes = grid.codes(values)
        program = program_layer(name, weight, bias, width.choice, signs=signs, hadamard_n=n, codes=codes)
        program.check(config.unit)
        return program
