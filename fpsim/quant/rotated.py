"""W4A4 with per-token activations, per-channel weights and block Hadamard rotations.

Placement (HQ-DiT, arXiv 2405.19751, section 3, as far as it is known; where it is silent the choice is ours):
qkv and fc1 follow a modulated LayerNorm and fc2 a GELU, which do not commute with a rotation, so the machine
rotates their rows. proj follows the attention, which mixes tokens and leaves the channels of one head alone:
a rotation inside each head goes into the value rows of qkv, and costs nothing at run time.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.hooks import block_linears
from fpsim.dit.model import DiT
from fpsim.quant.calibration import Calibration
from fpsim.quant.linears import bias_of, weight_of
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.rotation import random_signs, rotate_columns
from fpsim.quant.scales import OperandChoice, program_layer

SEED = 0


@dataclass(frozen=True)
class RotatedPerToken:
    """W4A4: dynamic per-token activation scales, per-output-channel weight scales, rotation at every input.

    Attributes:
        fmt: format of weights and activations.
        seed: seed of the random sign vectors.
    """

    fmt: str = "e2m1"
    seed: int = SEED
    name: str = "rotated-w4a4"
    title: str = "W4A4 E2M1, per-token and per-channel scales, block Hadamard rotation"

    def quantize(self, model: DiT, calibration: Calibration, config: ArrayConfig) -> QuantizedModel:
        """Fold proj's rotation into the value rows, rotate all weights, code them."""
        n = config.unit.hadamard_n
        folded = fold_value_rotation(model, n, self.seed)
        programs = []
        for name, linear in block_linears(folded).items():
            programs.append(self._program(name, linear, n))
        return QuantizedModel.single(self.name, folded, programs)

    def _program(self, name: str, linear: nn.Linear, n: int) -> LayerProgram:
        choice = OperandChoice(self.fmt, self.fmt, "channel")
        if name.endswith("attn.proj"):  # its rows arrive rotated, and its weights were rotated with the fold
            return program_layer(name, weight_of(linear), bias_of(linear), choice)
        signs = random_signs(linear.in_features, self.seed, name)
        rotated = rotate_columns(weight_of(linear), n, signs)
        return program_layer(name, rotated, bias_of(linear), choice, signs=signs, hadamard_n=n)


def fold_value_rotation(model: DiT, n: int, seed: int) -> DiT:
    """A copy of the model that computes the same, whose proj inputs are rotated by R within each head.

    The value rows of qkv become R W_v (and R b_v), proj's weight becomes W R^T: exact in real arithmetic.

    Raises:
        ValueError: the head width is not a multiple of n.
    """
    hidden, heads = model.config.hidden, model.config.heads
    if (hidden // heads) % n:
        raise ValueError(f"hadamard_n={n}: expected a divisor of the head width {hidden // heads}")
    result = copy.deepcopy(model)
    linears = block_linears(result)
    for i in range(model.config.depth):
        qkv, proj = linears[f"blocks.{i}.attn.qkv"], linears[f"blocks.{i}.attn.proj"]
        signs = random_signs(hidden, seed, f"blocks.{i}.attn.proj")
        values = slice(2 * hidden, 3 * hidden)
        weight, bias = weight_of(qkv), bias_of(qkv)
        # R W = (W^T R^T)^T: the same routine on the transpose.
        weight[values] = rotate_columns(weight[values].T, n, signs).T
        bias[values] = rotate_columns(bias[values], n, signs)
        _assign(qkv, weight, bias)
        _assign(proj, rotate_columns(weight_of(proj), n, signs), bias_of(proj))
    return result


def _assign(linear: nn.Linear, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(weight))
        linear.bias.copy_(torch.from_numpy(bias))
