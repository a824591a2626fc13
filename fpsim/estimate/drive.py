"""How units are driven: beats of rows, reset first, with data in every cycle or in none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.estimate.stimulus import Operands, Run

RESET_CYCLES = 4
SETTLE_CYCLES = 12  # at least the longest pipeline (seven Hadamard stages), so that registers hold data
BEATS = 320
IDLE = "one clock cycle without data, inputs held"

Driver = Callable[[Operands, ArrayConfig], list[Run]]


@dataclass(frozen=True)
class Unit:
    """One characterized unit.

    Attributes:
        name: key in the results.
        module: RTL module.
        parameters: its parameters.
        operations: what is counted, name to meaning.
        drive: stimuli from operands.
        lanes: elements of one operation.
        config: configuration of the stimulus (an array's own size).
        sees_format: whether its data depends on the operand format.
        takes_codes: whether it is also driven with uniformly drawn codes.
        own_format: what the format of its stimuli is called, where it is not the configuration's ("": it is):
            the driver makes such codes itself, of the rows.
    """

    name: str
    module: str
    parameters: dict[str, int]
    operations: dict[str, str]
    drive: Driver
    lanes: int
    config: ArrayConfig
    sees_format: bool = False
    takes_codes: bool = False
    own_format: str = ""


def beats(rows: NDArray[Any], n: int) -> NDArray[np.int64]:
    """Rows (M, K) as beats of n lanes, row after row, the first BEATS of them."""
    return rows.astype(np.int64).reshape(-1, n)[:BEATS]


def per_beat(values: NDArray[Any], k: int, n: int) -> NDArray[np.int64]:
    """One value per row, repeated for the row's beats."""
    return np.repeat(values.astype(np.int64), k // n)[:BEATS]


def clocked(columns: dict[str, NDArray[np.int64]], operation: str, enable: tuple[str, ...]) -> list[Run]:
    """A run with data in every cycle and one without, each after reset and a few filling cycles."""
    skip, beats = RESET_CYCLES + SETTLE_CYCLES, len(next(iter(columns.values())))
    ones = np.ones(beats, np.int64)
    busy = after_reset({**columns, **dict.fromkeys(enable, ones)})
    held = {name: np.repeat(values[:1], beats, axis=0) for name, values in columns.items()}
    idle = after_reset({**held, **dict.fromkeys(enable, 0 * ones)})
    if "in_valid_i" in enable:
        for run in (busy, idle):
            run["out_ready_i"] = np.ones(len(run["rst_ni"]), np.int64)
    counted = RESET_CYCLES + beats - skip
    return [
        Run(busy, {operation: counted}, skip, "in_valid_i" in enable),
        Run(idle, {"idle": counted}, skip, "in_valid_i" in enable),
    ]


def after_reset(columns: dict[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    """Put reset cycles before the columns, with every port 0."""
    padded = {
        name: np.concatenate([np.zeros((RESET_CYCLES, *values.shape[1:]), np.int64), values])
        for name, values in columns.items()
    }
    length = len(next(iter(padded.values())))
    return {**padded, "rst_ni": (np.arange(length) >= RESET_CYCLES).astype(np.int64)}
