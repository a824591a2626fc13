"""The floating units' laws, stepped beat by beat, give what the kernels give for whole rows."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from fpsim.arith.decode import decode
from fpsim.arith.dot_mx import DotSum, dot_mx
from fpsim.arith.dot_nvfp4 import dot_nvfp4
from fpsim.arith.mac_float import mac_float
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.formats import get
from fpsim.kernels.dot_block import block_operand, dot_block
from fpsim.kernels.matmul import matmul

ACCUMULATORS = (
    "e8m23:ieee:rne:ieee:0",
    "e8m7:ieee:rtz:ieee:0",
    "e5m10:ieee:rup:inf:0",
    "e6m5:ieee:rdn:ieee:0",
    "e5m2:ieee:rna:saturate:0",
    "e4m3:nan:rne:saturate:0",
)
BLOCKS: dict[str, tuple[Callable[..., DotSum], int, int]] = {
    "e8m0": (dot_mx, 32, 255),
    "ue4m3": (dot_nvfp4, 16, 127),
}


@pytest.mark.parametrize("text", ACCUMULATORS)
@pytest.mark.parametrize("pair", [("e2m1", "e2m1"), ("e3m0", "int4"), ("e1m2", "e2m1")], ids="-".join)
def test_mac_float_is_matmul_with_a_sequential_accumulator(text: str, pair: tuple[str, str]) -> None:
    float_acc = FloatAccumulator.parse(text)
    fmt = float_acc.fmt
    rng = np.random.default_rng(61)
    formats = [get(name).scaled(2.0**exponent) for name, exponent in zip(pair, (-6, 0), strict=True)]
    step = formats[0].step * formats[1].step
    unit_exp = step.numerator.bit_length() - step.denominator.bit_length()
    assert Fraction(2) ** unit_exp == step
    a, b = (rng.integers(0, 16, (12, 40), dtype=np.uint8) for _ in "ab")
    sums = matmul(a, b, a_fmt=formats[0], b_fmt=formats[1], acc=float_acc.accumulator)
    for i in range(12):
        acc = 0
        for k in range(40):
            operands = decode(int(a[i, k]), pair[0]), decode(int(b[i, k]), pair[1])
            acc = mac_float(acc, *operands, unit_exp, first=k == 0, accumulator=float_acc.accumulator)
        value = fmt.value(acc)
        want = float(value) if not isinstance(value, str) else float(value.replace("+", ""))
        assert float(sums[i, i]) == want
        assert bool(np.signbit(sums[i, i])) == bool(acc >> (fmt.bits - 1))


@pytest.mark.parametrize("scale", BLOCKS)
@pytest.mark.parametrize("depth", [32, 70, 200])
def test_dot_units_are_the_kernel_block_by_block(scale: str, depth: int) -> None:
    unit, lanes, codes = BLOCKS[scale]
    rng = np.random.default_rng([62, depth])
    blocks = -(-depth // lanes)
    for low, high in ((0, codes), (codes // 2 - 10, codes // 2 + 10)):
        a, b = (rng.integers(0, 16, (10, depth), dtype=np.uint8) for _ in "ab")
        scales = [rng.integers(low, high, (10, blocks)).astype(np.uint8) for _ in "ab"]
        sides = [block_operand(c, s, "e2m1", scale, lanes) for c, s in zip((a, b), scales, strict=True)]
        sums = dot_block(*sides).view(np.uint32)
        padded = [np.pad(c, ((0, 0), (0, blocks * lanes - depth))) for c in (a, b)]
        for i in range(10):
            total = DotSum()
            for j in range(blocks):
                inside = slice(j * lanes, (j + 1) * lanes)
                lists = [c[i, inside].tolist() for c in padded]
                total = unit(total, *lists, int(scales[0][i, j]), int(scales[1][i, j]), first=j == 0)
            assert total == DotSum(int(sums[i, i]))
