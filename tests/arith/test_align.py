"""Alignment against numpy: float16 values, exact float64 scaling, rint."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from fpsim.arith.align import Aligned, align

ALL_BITS = np.arange(1 << 16, dtype=np.uint16)
FINITE = (ALL_BITS & 0x7C00) != 0x7C00


def reference(bits: np.ndarray, guard_bits: int, exp: int) -> list[int]:
    """Integers by numpy; the division is by a power of two and rint rounds ties to even."""
    values = (
        np.where((bits & 0x7C00) != 0x7C00, bits, 0).astype(np.uint16).view(np.float16).astype(np.float64)
    )
    limit = 2.0 ** (11 + guard_bits) - 1
    return np.clip(np.rint(values / 2.0 ** (exp - 25 - guard_bits)), -limit, limit).astype(np.int64).tolist()


def test_every_pattern_alone_keeps_its_significand() -> None:
    for bits in ALL_BITS.tolist():
        field = (bits >> 10) & 31
        ints, exp, special = align([bits], 4)
        assert exp == max(field, 1), f"bits 0x{bits:04x}"
        assert special == (field == 31), f"bits 0x{bits:04x}"
        if not special:
            value = float(np.uint16(bits).view(np.float16))
            assert ints[0] * 2.0 ** (exp - 29) == value, f"bits 0x{bits:04x}: exact, nothing is dropped"
    assert ALL_BITS.size == 65536


@pytest.mark.parametrize(("guard_bits", "exp"), [(4, 1), (4, 15), (4, 22), (0, 12), (0, 30), (8, 18)])
def test_every_pattern_at_a_static_exponent(guard_bits: int, exp: int) -> None:
    aligned = align(ALL_BITS.tolist(), guard_bits, exp)
    assert aligned.ints == reference(ALL_BITS, guard_bits, exp)
    assert aligned.exp == exp
    assert aligned.special


def test_dynamic_rows() -> None:
    rng = np.random.default_rng(40)
    cases = 0
    for _ in range(1500):
        guard_bits = int(rng.integers(0, 9))
        row = rng.choice(ALL_BITS[FINITE], int(rng.integers(1, 12)))
        if rng.integers(0, 2):  # close exponents: the rounding is what counts
            row = (row & 0x83FF) | (rng.integers(8, 14, row.size) << 10).astype(np.uint16)
        aligned = align(row.tolist(), guard_bits)
        exp = max(1, int((row >> 10 & 31).max()))
        assert aligned == Aligned(reference(row, guard_bits, exp), exp, False)
        limit = 1 << (11 + guard_bits)
        assert max(map(abs, aligned.ints)) < limit, "a dynamic exponent never needs the saturation"
        cases += row.size
    assert cases > 7000


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # 2^15 sets exp 30 and one unit is 2; so 1 (ties to 0), 3 (ties to 4), 5 (ties to 4).
        ([0x7800, 0x3C00, 0x4200, 0xC500], Aligned([1 << 14, 0, 2, -2], 30, False)),
        ([0x0000, 0x8000], Aligned([0, 0], 1, False)),
        ([0x0001, 0x83FF], Aligned([16, -1023 * 16], 1, False)),
        ([0x7BFF, 0xFBFF], Aligned([2047 * 16, -2047 * 16], 30, False)),
        ([0x7C00, 0x3C00], Aligned([0, 0], 31, True)),
        ([0x7E01, 0x7800, 0xFC00], Aligned([0, 1 << 13, 0], 31, True)),
    ],
)
def test_rows_worked_by_hand(row: Sequence[int], expected: Aligned) -> None:
    # guard_bits = 4; the last two rows hold an infinity or a NaN, whose exponent field is 31.
    assert align(row, 4) == expected


def test_a_static_exponent_saturates_with_sign() -> None:
    assert align([0x4000, 0xC000, 0x3FFF], 4, 15).ints == [32767, -32767, 2047 * 16]


@pytest.mark.parametrize(
    ("row", "guard_bits", "exp", "message"),
    [
        ([], 4, None, r"row=\[\]: expected at least one element"),
        ([0, 65536], 4, None, r"row\[1\]=65536: expected an integer from 0 to 65535"),
        ([0], 9, None, "guard_bits=9: expected an integer from 0 to 8"),
        ([0], -1, None, "guard_bits=-1: expected an integer from 0 to 8"),
        ([0], 4, 0, "exp=0: expected an integer from 1 to 30"),
        ([0], 4, 31, "exp=31: expected an integer from 1 to 30"),
        ([1.5], 4, None, r"row\[0\]=1.5: expected an integer"),
    ],
)
def test_other_arguments_are_refused(
    row: Sequence[int], guard_bits: int, exp: int | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        align(row, guard_bits, exp)
