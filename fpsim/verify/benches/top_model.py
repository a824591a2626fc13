"""What must come out of `fpsim_top`: the law on the beats that the monitor saw cross x and w."""

from __future__ import annotations

from collections import deque

import numpy as np

from fpsim.array.config import OPERAND_FORMATS
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.reference import trace_tile
from fpsim.array.top import (
    BIAS_AT,
    CODE_BITS,
    FP16_BITS,
    SCALE_BITS,
    ResultBeat,
    Setup,
    TopConfig,
    result_beats,
)


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
        complete = len(self._weights) == array.cols + self.setup.k
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
        codes = self._weights[self.config.array.cols :]
        return LayerProgram(
            name="top",
            act_fmt=OPERAND_FORMATS[setup.a_fmt],
            weight_fmt=OPERAND_FORMATS[setup.b_fmt],
            weight_codes=np.array(
                [[(beat >> CODE_BITS * c) & 15 for beat in codes] for c in range(cols)], np.uint8
            ),
            col_scale=np.array([word & ((1 << SCALE_BITS) - 1) for word in heads], np.uint32),
            bias=np.array([(word >> BIAS_AT) & 0xFFFF for word in heads], np.uint16),
            signs=np.array(self.signs[: setup.k], np.int8) if setup.rotate else None,
            static=StaticScale(setup.exp, setup.amp) if setup.static else None,
        )
