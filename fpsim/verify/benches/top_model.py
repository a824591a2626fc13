"""What must come out of `fpsim_top`: the law on the beats that the monitor saw cross x and w."""

from __future__ import annotations

from collections import deque
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.arith.passes import passes
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.reference import trace_tile
from fpsim.array.top import (
    BIAS_AT,
    CODE_BITS,
    FORMATS,
    FP16_BITS,
    SCALE_BITS,
    WORD_BITS,
    ZERO_BITS,
    Setup,
    TopConfig,
    head_beats,
)
from fpsim.array.top_results import ResultBeat, result_beats
from fpsim.formats import get


class TopModel:
    """One layer on its way through the accelerator.

    Attributes:
        expected: result beats that have not been seen yet, in order.
    """

    def __init__(self, config: TopConfig, setup: Setup, signs: list[int]) -> None:
        self.config = config
        self.setup = setup
        self.signs = signs
        self.expected: deque[ResultBeat] = deque()
        self._row: list[int] = []  # beats of the row that comes in
        self._rows: list[list[int]] = []  # rows of the tile
        self._weights: list[int] = []  # beats of the tile that comes in
        self._cols_left = setup.n
        self._act_fmt, self._weight_fmt = FORMATS[setup.a_fmt], FORMATS[setup.b_fmt]
        self._passes = passes(self._act_fmt, self._weight_fmt)
        self._heads = head_beats(config, zeros=setup.a_zero or setup.b_zero)
        self._stopped = False  # by an error in the data: what follows is dropped

    def take_row_beat(self, word: int, last: bool) -> None:
        """A beat of x was accepted."""
        if self._stopped:
            return
        lanes = self.config.array.unit.hadamard_n
        self._row.append(word)
        complete = len(self._row) == -(-self.setup.k // lanes)
        elements = [(beat >> FP16_BITS * i) & 0xFFFF for beat in self._row for i in range(lanes)]
        special = any(element >> 10 & 31 == 31 for element in elements[: self.setup.k])
        self._stopped = special or last != complete
        if complete:
            self._rows.append(elements[: self.setup.k])
            self._row = []

    def take_weight_beat(self, word: int, last: bool) -> None:
        """A beat of w was accepted; the last one of a tile makes its results due."""
        if self._stopped:
            return
        array = self.config.array
        self._weights.append(word)
        complete = len(self._weights) == self._heads + len(self._passes) * self.setup.k
        self._stopped = last != complete
        if self._stopped or not complete:
            return
        cols = min(array.cols, self._cols_left)
        y = trace_tile(array, self._program(cols), self._rows, 0).y
        self.expected.extend(result_beats(self.config, y))
        self._weights = []
        self._cols_left -= cols
        if self._cols_left == 0:
            self._rows, self._cols_left = [], self.setup.n

    def _program(self, cols: int) -> LayerProgram:
        setup, heads = self.setup, self._weights[:cols]
        return LayerProgram(
            name="top",
            act_fmt=self._act_fmt,
            weight_fmt=self._weight_fmt,
            weight_codes=np.array([self._codes(c) for c in range(cols)], np.uint8),
            col_scale=np.array([word & ((1 << SCALE_BITS) - 1) for word in heads], np.uint32),
            bias=np.array([(word >> BIAS_AT) & 0xFFFF for word in heads], np.uint16),
            signs=np.array(self.signs[: setup.k], np.int8) if setup.rotate else None,
            static=StaticScale(setup.exp, setup.amp) if setup.static else None,
            hadamard_n=self.config.array.unit.hadamard_n * setup.order if setup.rotate else None,
            act_zero=self._act_zero(),
            weight_zero=self._weight_zero(cols) if setup.b_zero else None,
        )

    def _act_zero(self) -> int | Literal["row"] | None:
        if not self.setup.a_zero:
            return None
        return signed(self.setup.zero, WORD_BITS) if self.setup.static else "row"

    def _weight_zero(self, cols: int) -> NDArray[np.int16]:
        words = self._weights[self.config.array.cols :][:cols]
        return np.array([signed(word & ((1 << ZERO_BITS) - 1), ZERO_BITS) for word in words], np.int16)

    def _codes(self, col: int) -> list[int]:
        """Codes of a column, out of one pass or of two with its two nibbles; other passes repeat them."""
        k, at = self.setup.k, self._heads
        by_nibble: dict[int, list[int]] = {}
        for nibble in [nibble for _, nibble in self._passes]:
            lanes = [beat >> CODE_BITS * col & 15 for beat in self._weights[at : at + k]]
            if by_nibble.setdefault(nibble, lanes) != lanes:
                raise ValueError(f"column {col}: the passes bring different weights")
            at += k
        if len(by_nibble) == 1:
            return by_nibble[0]
        mask = (1 << get(self._weight_fmt).bits) - 1
        return [(16 * high + low) & mask for high, low in zip(by_nibble[0], by_nibble[1], strict=True)]


def signed(word: int, bits: int) -> int:
    """The integer that a word stands for in two's complement."""
    return word - (1 << bits) if word >> (bits - 1) else word
