"""The best W4A4 that we know how to program: every choice of a layer by the error of its own output.

Ours, of known parts: channels are balanced before the rotation (SmoothQuant, arXiv 2211.10438, with a weaker
exponent; balance first and then rotate is ViDiT-Q's order, 2406.02540), rows are rotated (HQ-DiT,
2405.19751), weights are coded by GPTQ (2210.17323) on the rows that the array sees. What remains is tried out
layer by layer: width of the rotation, formats of activations and weights, and per output channel the clipping
of the weights, judged after GPTQ and not before. Nothing costs the machine more than HQ-DiT does, but for the
factors that the host multiplies into fc2's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.array_rows import array_rows
from fpsim.quant.balance import Balanced, balance
from fpsim.quant.calibration import Calibration
from fpsim.quant.gptq import QuantizeColumn, gptq, second_moments
from fpsim.quant.linears import weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotated_layers import RotatedLayer, Width, fold_heads, rotated_layers
from fpsim.quant.scales import OperandChoice, WeightGrid, program_layer, weight_grid
from fpsim.quant.smoothquant import smoothing

JUDGED_ROWS = 1024  # rows of a layer that candidates are compared on

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class SearchedW4A4:
    """Balanced, rotated, compensated, and searched.

    Attributes:
        widths: rotations to try; a block size that does not divide all channel counts is left out.
        act_fmts, weight_fmts: formats to try.
        ratios: clipping of the weights to try, shares of a channel's largest magnitude.
        alpha: of the balancing (`fpsim.quant.smoothquant.smoothing`).
        seed: seed of the random sign vectors.
    """

    widths: tuple[Width, ...] = ("full", 32)
    act_fmts: tuple[str, ...] = ("e2m1", "int4")
    weight_fmts: tuple[str, ...] = ("e2m1", "int4")
    ratios: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7)
    alpha: float = 0.3
    seed: int = 0
    name: str = "fpsim-best-w4a4"
    title: str = "W4A4, ours: balanced, rotated, GPTQ, formats and rotations by each layer's output error"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Balance, then code every layer in all ways and keep the one with the smallest output error."""
        factors = {
            name: smoothing(calibration.channel_amax[name], weight_of(linear), self.alpha)
            for name, linear in block_linears(model).items()
        }
        balanced = balance(model, factors, calibration.rows)
        programs = [self._best(ways, config.unit) for ways in self._layers(balanced)]
        folded = fold_heads(balanced.model, "full", self.seed)
        return QuantizedModel.single(self.name, folded, programs, balanced.input_scale)

    def _layers(self, balanced: Balanced) -> Iterator[tuple[RotatedLayer, ...]]:
        """Each layer under every rotation that fits."""
        sizes = {linear.in_features for linear in block_linears(balanced.model).values()}
        widths = [w for w in self.widths if not isinstance(w, int) or not any(size % w for size in sizes)]
        ways = [rotated_layers(balanced, width, self.seed, heads="full") for width in widths]
        return zip(*ways, strict=True)

    def _best(self, ways: tuple[RotatedLayer, ...], unit: UnitConfig) -> LayerProgram:
        if ways[0].signs is None:
            ways = ways[:1]  # rows arrive rotated: all ways are the same
        candidates = [
            self._code(layer, OperandChoice(act_fmt, weight_fmt), unit)
            for layer in ways
            for act_fmt in self.act_fmts
            for weight_fmt in self.weight_fmts
        ]
        return min(candidates, key=lambda candidate: candidate[0])[1]

    def _code(
        self, layer: RotatedLayer, choice: OperandChoice, unit: UnitConfig
    ) -> tuple[float, LayerProgram]:
        """A layer coded in one way, and the squared error of its output on calibration rows."""
        n, signs = layer.hadamard_n, layer.signs
        seen = array_rows(layer.name, layer.rows, unit, fmt=choice.act_fmt, signs=signs, n=n)
        grid, values = compensated(layer, choice, second_moments(seen), self.ratios)
        some = slice(None, None, max(len(seen) // JUDGED_ROWS, 1))
        off = seen[some] @ values.T - layer.quantizer_rows()[some] @ layer.weight.T
        program = program_layer(
            layer.name,
            layer.weight,
            layer.bias,
            choice,
            signs=signs,
            hadamard_n=n,
            scale=grid.step,
            codes=grid.codes(values),
        )
        return float(np.square(off).sum()), program


def compensated(
    layer: RotatedLayer, choice: OperandChoice, hessian: F64, ratios: tuple[float, ...]
) -> tuple[WeightGrid, F64]:
    """GPTQ under several clippings, of which each output channel keeps the one with the smallest error.

    Channels do not meet in GPTQ, so that each has the clipping, and the codes, that are best for it.

    Args:
        layer: the layer.
        choice: its formats, one scale per output channel.
        hessian: float64 (K, K), `second_moments` of the rows that the array multiplies.
        ratios: shares of a channel's largest magnitude.

    Returns:
        The grid, and the quantized weights, float64 (N, K).
    """
    n = layer.hadamard_n
    widest = weight_grid(layer.weight, choice, hadamard_n=n)
    step, values = widest.step, np.zeros_like(layer.weight)
    least = np.full(len(step), np.inf)
    for ratio in ratios:
        grid = weight_grid(layer.weight, choice, hadamard_n=n, scale=widest.step * ratio)
        found = gptq(layer.weight, hessian, _nearest(grid))
        off = layer.weight - found
        # Without BLAS, whose sums may depend on the number of threads.
        error = np.einsum("nk,nk->n", np.einsum("nj,jk->nk", off, hessian), off)
        better = error < least
        least, step = np.where(better, error, least), np.where(better, grid.step, step)
        values[better] = found[better]
    return weight_grid(layer.weight, choice, hadamard_n=n, scale=step), values


def _nearest(grid: WeightGrid) -> QuantizeColumn:
    return lambda column, _: grid.values(grid.codes(column))
