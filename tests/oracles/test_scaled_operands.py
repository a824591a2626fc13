"""Operands of formats scaled by a power of two, in sums that round: the law, and the unscaled sums, moved."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fpsim import matmul
from fpsim.arith.dot_product import dot_product
from fpsim.formats import PRESETS, Accumulator, get
from tests.oracles.test_law_equals_kernel_sums import random_c, random_codes

KINDS = (
    Accumulator.sequential("fp16"),
    Accumulator.sequential("bf16", "rup"),
    Accumulator.sequential("e5m2", fused=False),
    Accumulator.sequential("e4m3"),
    Accumulator.sequential("fp32", scale="ue4m3", block=8),
    Accumulator.tree("fp16", 4),
    Accumulator.exact_plus_c("fp16", step=8),
    Accumulator.exact_plus_c("fp32", "rdn"),
)
PAIRS = (("e2m1", "e2m1"), ("int4", "int8"), ("e3m0", "e1m2"), ("e3m2", "e2m3"))
SCALES = (Fraction(1), Fraction(1, 1 << 9), Fraction(1 << 7), Fraction(1, 1 << 60))


@pytest.mark.parametrize("acc", KINDS, ids=lambda acc: f"{acc.kind} {acc.fmt.name} {acc.rounding}")
def test_law_equals_kernel(acc: Accumulator) -> None:
    rng = np.random.default_rng([530, KINDS.index(acc)])
    cases = 0
    for pair, left, right in itertools.product(PAIRS, SCALES, SCALES):
        forms = get(pair[0]).scaled(left), get(pair[1]).scaled(right)
        depth = int(rng.choice([1, 9, 40]))
        a, b = (random_codes(rng, name, (2, depth), special=False) for name in pair)
        c = random_c(rng, (2, 2), "none" if cases % 2 else "finite")
        scales: dict[str, Any] = {}
        if acc.scale is not None:
            size = (2, -(-depth // acc.block))
            scales = {x: rng.integers(30, 80, size).astype(np.uint8) for x in ("a_scale", "b_scale")}
        got = matmul(a, b, a_fmt=forms[0], b_fmt=forms[1], acc=acc, c=c, **scales).view(np.uint32)
        for m, n in itertools.product(range(2), range(2)):
            own = {f"{x}s": v[m if x[0] == "a" else n].tolist() for x, v in scales.items()}
            c_bits = 0 if c is None else int(c.view(np.uint32)[m, n])
            law = dot_product(a[m].tolist(), b[n].tolist(), *forms, acc, c_bits=c_bits, **own)
            assert int(got[m, n]) == law, f"{pair} scales {left} {right} K={depth} output {m, n}"
            cases += 1
    assert cases == len(PAIRS) * len(SCALES) ** 2 * 4


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("acc", [Accumulator.sequential("bf16"), Accumulator.tree("bf16", 8)])
def test_a_power_of_two_only_moves_the_sums(acc: Accumulator, pair: tuple[str, str]) -> None:
    rng = np.random.default_rng(531)
    a, b = (random_codes(rng, name, (5, 700), special=False) for name in pair)
    plain = matmul(a, b, a_fmt=pair[0], b_fmt=pair[1], acc=acc)
    moved = matmul(a, b, a_fmt=get(pair[0]).scaled(2.0**-20), b_fmt=get(pair[1]).scaled(2.0**7), acc=acc)
    np.testing.assert_array_equal((moved * np.float32(2.0**13)).view(np.uint32), plain.view(np.uint32))


def test_the_law_refuses_a_scale_under_an_alignment() -> None:
    with pytest.raises(ValueError, match="expected scale 1 under an aligned accumulator"):
        dot_product([7], [7], get("e2m1").scaled(2), "e2m1", PRESETS["hopper-f8"])
