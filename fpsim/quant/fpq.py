"""FPQ: 4-bit floats whose real exponent bias is searched (LLM-FP4, Liu et al., arXiv 2310.16836).

A real bias is a scale, and the scale is what the machine holds, so searching biases is searching the largest
value: 100 candidates, evenly from 0.01 to 1.2 times the largest magnitude. Weights have one per output
channel, activations one per layer, fixed before the run. They are searched in turns, three rounds, each with
the other as it is by then, for the smallest squared error of the layer's output.

Ours: each turn searches its formats together with its scales (the released code takes all pairs of formats
one after the other); the first turn sees activations under max-scaled E2M1; 256 calibration rows are looked
at. LLM-FP4's per-channel activation biases, integer exponents folded into the weights, are left out:
HQ-DiT's comparison (2405.19751) does not say that it has them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import StaticScale
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.array_rows import array_rows
from fpsim.quant.calibration import Calibration
from fpsim.quant.fp_formats import FORMATS
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import OperandChoice, WeightGrid, program_layer, static_scale, weight_grid

SHARES = tuple(float(share) for share in np.linspace(0.01, 1.2, 100))
ROUNDS = 3
SEARCHED_ROWS = 256
FP16_MAX = 65504.0

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class FPQ:
    """W4A4 with searched scales and formats.

    Attributes:
        fmts: formats to try, for weights and for activations.
        rounds: turns of each, at least 1.
        rows: calibration rows that the search looks at, evenly taken, at least 1.
    """

    fmts: tuple[str, ...] = FORMATS
    rounds: int = ROUNDS
    rows: int = SEARCHED_ROWS
    name: str = "fpq-w4a4"
    title: str = "FPQ W4A4: searched exponent biases and formats, static activations per tensor"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Search the scales and formats of every block linear, then code it."""
        programs = []
        for name, linear in block_linears(model).items():
            seen = calibration.rows[name].astype(np.float64)
            weight, rows = weight_of(linear), seen[:: max(len(seen) // self.rows, 1)]
            amax = calibration.amax[name]
            choice, static, grid = self.search(name, weight, rows, amax, config.unit)
            programs.append(
                program_layer(name, weight, bias_of(linear), choice, static=static, scale=grid.step)
            )
        return QuantizedModel.single(self.name, model, programs)

    def search(
        self, name: str, weight: F64, rows: F64, amax: float, unit: UnitConfig
    ) -> tuple[OperandChoice, StaticScale, WeightGrid]:
        """Formats and scales of one layer.

        Args:
            name: the layer's name.
            weight: float64 (N, K).
            rows: float64 (S, K), calibration rows.
            amax: the largest magnitude that activations were seen with.
            unit: the machine.
        """
        act_fmt, static = "e2m1", static_scale(amax or 1.0, unit)
        for _ in range(max(self.rounds, 1)):
            seen = array_rows(name, rows, unit, fmt=act_fmt, static=static)
            grid = min(
                (best_grid(weight, rows, seen, OperandChoice(act_fmt, fmt)) for fmt in self.fmts),
                key=lambda found: found[0],
            )[1]
            coded = grid.values(grid.codes(weight))
            target = rows @ weight.T
            errors = {}
            for fmt in self.fmts:
                for share in SHARES:
                    scale = static_scale(min(share * (amax or 1.0), FP16_MAX), unit)
                    got = array_rows(name, rows, unit, fmt=fmt, static=scale) @ coded.T
                    errors[fmt, scale] = float(np.square(got - target).sum())
            act_fmt, static = min(errors, key=lambda found: errors[found])
        choice = OperandChoice(act_fmt, grid.fmt.name)
        return choice, static, weight_grid(weight, choice, scale=grid.step)


def best_grid(weight: F64, rows: F64, seen: F64, choice: OperandChoice) -> tuple[float, WeightGrid]:
    """The grid under which each output channel has the smallest squared error, and the sum of these errors.

    The error is that of the nearest weights on quantized rows, beside the exact weights on exact rows.

    Args:
        weight: float64 (N, K).
        rows: float64 (S, K).
        seen: float64 (S, K), the rows as the array multiplies them.
        choice: formats.
    """
    target = rows @ weight.T
    power, cross = seen.T @ seen, target.T @ seen
    widest = weight_grid(weight, choice)
    step, least = widest.step, np.full(len(weight), np.inf)
    for share in SHARES:
        grid = weight_grid(weight, choice, scale=widest.step * share)
        coded = grid.values(grid.codes(weight))
        error = ((coded @ power - 2 * cross) * coded).sum(axis=1)  # but for the square of the target
        better = error < least
        step, least = np.where(better, grid.step, step), np.where(better, error, least)
    return float((least + np.square(target).sum(axis=0)).sum()), weight_grid(weight, choice, scale=step)
