"""HTG: static quantizers that follow the timestep (Ding et al., arXiv 2503.06930).

What a block's linears are fed drifts along the sampling trajectory, and channels lie off centre. HTG keeps
the activation scales static, one per tensor, and makes the tensors fit them: each channel is shifted by the
middle of its range, per group of neighbouring timesteps, and divided by one factor for all timesteps. Shift
and factor go into the adaLN projection, the weights and the biases offline (`fpsim.quant.fold`); when a group
ends, the machine loads other biases and other scale registers, and the weights stay.

Where the paper is silent or the sources differ, the choice is ours: proj's shift and factor go into the value
rows of qkv; fc2, which HTG leaves to a plain quantizer, has its range per group as the others; weights are
symmetric and coded by GPTQ; FP formats, which have no zero point, take ranges symmetric about zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.formats import get
from fpsim.quant.calibration import Calibration
from fpsim.quant.cluster import common_ranges, range_ends
from fpsim.quant.fold import share_equal
from fpsim.quant.gptq import gptq, second_moments
from fpsim.quant.htg_plan import LayerPlan, fold_plans, plan_layers
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.rotated import fold_value_rotation
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.scales import (
    OperandChoice,
    fp16_bits,
    program_layer,
    static_range,
    static_scale,
    weight_grid,
)
from fpsim.quant.shift import ScaleRule

ALPHA = 0.99  # of equation 7, the paper's best (its table 4)


@dataclass(frozen=True)
class HTG:
    """Activation scales per tensor and group of timesteps, weight scales per output channel.

    Attributes:
        act_fmt: format of the activations.
        weight_fmt: format of the weights.
        zero: whether integer activations are coded from the smallest to the largest value seen, with a zero
            point; otherwise, and FP formats always, symmetrically about zero.
        groups: groups of timesteps of each layer; None for one per two calibrated timesteps (the paper has
            one per ten of 100).
        shift: whether channels are shifted; without, groups have ranges of their own and nothing else.
        scale: the rule of the channel factors, see `fpsim.quant.shift.channel_scale`.
        alpha: of its moving average.
        gptq: weights by GPTQ on the rows that the folded layer is fed; False: by rounding to nearest.
        rotated: rows are rotated after shift and factor, and scaled one by one as they come; the machine
            has no static scale for rotated rows. proj's rotation goes into the value rows.
        seed: of the rotations' signs.
    """

    act_fmt: str = "int8"
    weight_fmt: str = "int8"
    zero: bool = True
    groups: int | None = None
    shift: bool = True
    scale: ScaleRule = "htg"
    alpha: float = ALPHA
    gptq: bool = True
    rotated: bool = False
    seed: int = 0
    name: str = "htg-w8a8"
    title: str = "W8A8 INT8, HTG: static scales, shifts and factors per group of timesteps"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Plan every layer, fold each range of timesteps, code the weights once.

        Raises:
            ValueError: groups outside 1 to the calibrated timesteps, or an unknown rule or format.
        """
        timesteps = calibration.timesteps
        groups = max(len(timesteps) // 2, 1) if self.groups is None else self.groups
        plans = plan_layers(
            model, calibration, groups=groups, shift=self.shift, scale=self.scale, alpha=self.alpha
        )
        ranges = common_ranges(timesteps, [plan.groups for plan in plans.values()])
        coded: dict[str, LayerProgram] = {}
        phases: list[Phase] = []
        for steps, (first, last) in zip(ranges, range_ends(timesteps, ranges), strict=True):
            folded = fold_plans(model, plans, steps[0])
            if self.rotated:
                folded = fold_value_rotation(folded, config.unit.hadamard_n, self.seed)
            if phases:
                share_equal(folded, phases[0].model)
            programs = []
            for name, linear in block_linears(folded).items():
                if name not in coded:
                    rows = plans[name].fed(calibration.rows[name], calibration.row_step[name])
                    coded[name] = self._code(name, weight_of(linear), rows, config)
                bias = fp16_bits(bias_of(linear), f"{name}: bias")
                programs.append(self._at(replace(coded[name], bias=bias), plans[name], steps[0], config))
            phases.append(Phase(first, last, folded, programs))
        return QuantizedModel(self.name, phases)

    def _code(
        self, name: str, weight: NDArray[np.float64], rows: NDArray[np.float64], config: ArrayConfig
    ) -> LayerProgram:
        """The layer's weights, its rotation, and yet no bias and no static scale.

        Args:
            weight: float64 (N, K), folded; proj's already rotated.
            rows: float64 (S, K), what the folded layer is fed, before any rotation.
        """
        n = config.unit.hadamard_n if self.rotated else None
        online = n is not None and not name.endswith("attn.proj")
        signs = None if n is None else random_signs(weight.shape[1], self.seed, name)
        if n is not None and signs is not None:
            rows = rotate_columns(rows, n, signs)
            weight = rotate_columns(weight, n, signs) if online else weight
        choice = OperandChoice(self.act_fmt, self.weight_fmt, "channel", act_zero=self._asymmetric)
        grid = weight_grid(weight, choice, hadamard_n=n if online else None)
        codes = None
        if self.gptq:
            quantized = gptq(weight, second_moments(rows), lambda column, _: grid.values(grid.codes(column)))
            codes = grid.codes(quantized)
        return program_layer(
            name,
            weight,
            np.zeros(len(weight)),
            choice,
            signs=signs if online else None,
            hadamard_n=n if online else None,
            codes=codes,
        )

    def _at(self, program: LayerProgram, plan: LayerPlan, step: int, config: ArrayConfig) -> LayerProgram:
        """The layer as loaded at a calibrated timestep's index: its group's static scale."""
        if self.rotated:
            return program
        low, high = float(plan.low[step]), float(plan.high[step])
        if not self._asymmetric:
            return replace(program, static=static_scale(max(-low, high), config.unit))
        static, zero = static_range(low, high, config.unit, self.act_fmt)
        return replace(program, static=static, act_zero=zero)

    @property
    def _asymmetric(self) -> bool:
        return self.zero and get(self.act_fmt).kind == "int"
