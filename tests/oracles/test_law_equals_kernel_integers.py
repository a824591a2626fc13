"""The law and the kernels of wide integers: codes, zero points, sums without them, whole layers."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.arith import align as law_align
from fpsim.arith import integer_quantizer as law_quantizer
from fpsim.arith import row_scale as law_row_scale
from fpsim.arith.passes import passes_array
from fpsim.arith.zero_sums import without_zeros as law_without_zeros
from fpsim.kernels.integer_quantizer import integer_quantizer, zero_points
from fpsim.kernels.integer_rows import quantize_integer_rows
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.zero_sums import code_sums, without_zeros

INTEGERS = ("int4", "int6", "int8")
OPERANDS = ("e2m1", "e3m0", "e1m2", *INTEGERS)
BITS = {"int4": 4, "int6": 6, "int8": 8}


@pytest.mark.parametrize("fmt", INTEGERS)
def test_every_small_integer_under_every_small_amplitude(fmt: str) -> None:
    h = np.arange(-150, 151, dtype=np.int32)
    amps = np.arange(131, dtype=np.int32)
    kernel = integer_quantizer(np.tile(h, (131, 1)), amps, fmt)
    law = [[law_quantizer.integer_quantizer(v, a, fmt) for v in h.tolist()] for a in range(131)]
    assert kernel.tolist() == law


@pytest.mark.parametrize("fmt", INTEGERS)
@pytest.mark.parametrize("with_zero", [False, True])
def test_wide_integers_at_and_beside_every_boundary(fmt: str, with_zero: bool) -> None:
    """h next to (i + 1/2) · A / L for every i, at amplitudes of all widths up to 2^30; and random ones."""
    half = 1 << (BITS[fmt] - 1)
    levels = 2 * half - 1 if with_zero else half - 1
    rng = np.random.default_rng([half, with_zero])
    cases = 0
    for _ in range(40):
        amp = min(int(rng.integers(1 << 10, 1 << 11)) << int(rng.integers(0, 20)), 1 << 30)
        zero = int(rng.integers(-half, half)) if with_zero else None
        ties = [(2 * i + 1) * amp // (2 * levels) for i in range(levels + 1)]
        near = [t + d for t in ties for d in (-1, 0, 1)]
        h = np.array([*near, *(-v for v in near), *rng.integers(-(1 << 30), 1 << 30, 20)], np.int32)
        law = [law_quantizer.integer_quantizer(v, amp, fmt, zero) for v in h.tolist()]
        zeros = None if zero is None else np.array([zero], np.int32)
        assert integer_quantizer(h[None], np.array([amp], np.int32), fmt, zeros)[0].tolist() == law
        cases += len(law)
    assert cases == 40 * (6 * (levels + 1) + 20)


@pytest.mark.parametrize("fmt", INTEGERS)
def test_exact_ties_of_large_amplitudes(fmt: str) -> None:
    """A = 2 · L · 2^s puts every (i + 1/2) · A / L on an integer: no rounding on the way may move it."""
    half = 1 << (BITS[fmt] - 1)
    for levels, zero in ((half - 1, None), (2 * half - 1, -3)):
        for shift in range(1 + (30 - (2 * levels).bit_length())):
            amp = 2 * levels << shift
            ties = np.arange(1, 2 * levels + 1, 2, dtype=np.int64) << shift
            h = np.concatenate([ties, -ties]).astype(np.int32)
            zeros = None if zero is None else np.array([zero], np.int32)
            law = [law_quantizer.integer_quantizer(v, amp, fmt, zero) for v in h.tolist()]
            assert integer_quantizer(h[None], np.array([amp], np.int32), fmt, zeros)[0].tolist() == law


@pytest.mark.parametrize("fmt", INTEGERS)
def test_zero_points_at_and_beside_every_boundary(fmt: str) -> None:
    steps = (1 << BITS[fmt]) - 1
    rng = np.random.default_rng(steps)
    low, span = [], []
    for _ in range(60):
        width = int(rng.integers(1 << 10, 1 << 11)) << int(rng.integers(0, 19))
        ties = [(2 * i + 1) * width // (2 * steps) for i in range(steps)]
        for t in ties:
            low += [-max(t + d, 0) for d in (-1, 0, 1)]
            span += [width] * 3
    law = [law_quantizer.zero_point(v, s, fmt) for v, s in zip(low, span, strict=True)]
    got = zero_points(np.array(low, np.int32), np.array(span, np.int32), fmt)
    assert got.tolist() == law
    assert len(law) == 180 * steps


@pytest.mark.parametrize("fmt", INTEGERS)
@pytest.mark.parametrize("zero", [None, "row"])
def test_rows_through_the_units_of_the_law(fmt: str, zero: str | None) -> None:
    rng = np.random.default_rng(31)
    shift = rng.integers(-2, 3, (40, 1))
    x = ((rng.standard_normal((40, 12)) + shift) * 2.0 ** rng.integers(-20, 12, (40, 1))).astype(np.float16)
    x[0] = 0
    got = quantize_integer_rows(
        x.view(np.uint16),
        guard_bits=4,
        hadamard_n=None,
        signs=None,
        fmt=fmt,
        zero=zero,  # type: ignore[arg-type]
    )
    one_sided = 0
    for r, row in enumerate(x.view(np.uint16).tolist()):
        law = law_align.align(row, 4)
        low, high = min(0, *law.ints), max(0, *law.ints)
        one_sided += not (low and high)
        amp = law_row_scale.amplitude(max(-low, high) if zero is None else high - low)
        point = None if zero is None else law_quantizer.zero_point(low, amp, fmt)
        assert got.row_scale[r] == law_row_scale.row_scale(amp, law.exp, 4)
        assert got.zeros[r] == (point or 0)
        assert got.codes[r].tolist() == [
            law_quantizer.integer_quantizer(h, amp, fmt, point) for h in law.ints
        ]
    assert one_sided > 3


@pytest.mark.parametrize("b_fmt", OPERANDS)
@pytest.mark.parametrize("a_fmt", INTEGERS)
def test_passes_of_the_law_equal_the_products_of_the_kernel(a_fmt: str, b_fmt: str) -> None:
    rng = np.random.default_rng([OPERANDS.index(b_fmt), BITS[a_fmt]])
    a = rng.integers(0, 1 << BITS[a_fmt], (5, 70)).astype(np.uint8)
    b = rng.integers(0, 1 << BITS.get(b_fmt, 4), (4, 70)).astype(np.uint8)
    for left, right, left_fmt, right_fmt in ((a, b, a_fmt, b_fmt), (b, a, b_fmt, a_fmt)):
        for acc_bits in (9, 17, 26, 40):
            law = passes_array(left.tolist(), right.tolist(), left_fmt, right_fmt, acc_bits)
            assert mac_array(left, right, left_fmt, right_fmt, acc_bits).tolist() == law


def test_zero_points_leave_the_sums() -> None:
    rng = np.random.default_rng(33)
    acc = rng.integers(-(1 << 39), 1 << 39, (6, 5))
    a, w = rng.integers(0, 256, (6, 90)).astype(np.uint8), rng.integers(0, 64, (5, 90)).astype(np.uint8)
    act_zero = rng.integers(-128, 128, 6).astype(np.int32)
    weight_zero = rng.integers(-(1 << 15), 1 << 15, 5).astype(np.int16)
    row_sums, col_sums = code_sums(a, "int8"), code_sums(w, "int6")
    assert row_sums.tolist() == a.view(np.int8).sum(axis=1, dtype=np.int64).tolist()
    got = without_zeros(
        acc, depth=90, row_sums=row_sums, col_sums=col_sums, act_zero=act_zero, weight_zero=weight_zero
    )
    for r in range(6):
        for c in range(5):
            sums = int(row_sums[r]), int(col_sums[c])
            law = law_without_zeros(int(acc[r, c]), *sums, 90, int(act_zero[r]), int(weight_zero[c]))
            assert int(got[r, c]) == law
