"""Nibbles in passes add up to the plain product of the integers, in every register."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.mac_array import mac_array
from fpsim.arith.passes import nibbles, passes, passes_array

from .tables import OPERAND_VALUES, OPERANDS, wrapped

# Values of all codes in order; two's complement by numpy, 6 bits as the upper ones of a byte.
VALUES = {
    **OPERAND_VALUES,
    "int6": tuple((np.arange(0, 256, 4, dtype=np.uint8).view(np.int8) >> 2).tolist()),
    "int8": tuple(np.arange(256, dtype=np.uint8).view(np.int8).tolist()),
}
FORMATS = tuple(VALUES)
PASSES = {"int6": 2, "int8": 2}


@pytest.mark.parametrize("fmt", ["int6", "int8"])
def test_nibbles_are_a_signed_and_an_unsigned_one(fmt: str) -> None:
    for code, value in enumerate(VALUES[fmt]):
        high, low = nibbles(code, fmt)
        assert 16 * high.value + low.value == value
        assert high.value == int(np.array(value >> 4).astype(ml_dtypes.int4))
        assert low.value == int(np.array(value & 15).astype(ml_dtypes.uint4))
        assert high.shift == low.shift == 0
        assert max(high.sig, low.sig) < 16
    assert len(VALUES[fmt]) == (64 if fmt == "int6" else 256)


def test_a_narrow_code_is_one_operand() -> None:
    for fmt in OPERANDS:
        assert [[operand.value for operand in nibbles(code, fmt)] for code in range(16)] == [
            [value] for value in VALUES[fmt]
        ]


def test_passes_are_counted_and_ordered_by_weight() -> None:
    assert passes("e2m1", "int4") == [(0, 0)]
    assert passes("e2m1", "int8") == [(0, 0), (0, 1)]
    assert passes("int6", "e3m0") == [(0, 0), (1, 0)]
    assert passes("int8", "int6") == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("acc_bits", [9, 16, 26, 40])
@pytest.mark.parametrize("b_fmt", FORMATS)
@pytest.mark.parametrize("a_fmt", FORMATS)
def test_passes_add_up_to_the_integer_product(a_fmt: str, b_fmt: str, acc_bits: int) -> None:
    rng = np.random.default_rng([FORMATS.index(a_fmt), FORMATS.index(b_fmt), acc_bits])
    a_codes, b_codes = (
        rng.integers(0, len(VALUES[a_fmt]), (3, 40)),
        rng.integers(0, len(VALUES[b_fmt]), (4, 40)),
    )
    a, b = np.array(VALUES[a_fmt])[a_codes], np.array(VALUES[b_fmt])[b_codes]
    got = passes_array(a_codes.tolist(), b_codes.tolist(), a_fmt, b_fmt, acc_bits)
    assert got == wrapped(a @ b.T, acc_bits).tolist()
    assert len(passes(a_fmt, b_fmt)) == PASSES.get(a_fmt, 1) * PASSES.get(b_fmt, 1)


@pytest.mark.parametrize("b_fmt", FORMATS)
def test_every_pair_of_codes(b_fmt: str) -> None:
    """int8 against every code of every format, one product each."""
    codes = [[code] for code in range(256)], [[code] for code in range(len(VALUES[b_fmt]))]
    expected = np.outer(VALUES["int8"], VALUES[b_fmt])
    assert passes_array(*codes, "int8", b_fmt, 26) == expected.tolist()
    assert expected.size == 256 * len(VALUES[b_fmt])


def test_the_largest_magnitudes() -> None:
    for a, b in ((128, 128), (128, 127), (127, 127)):
        got = passes_array([[a] * 64], [[b] * 64], "int8", "int8", 40)
        assert got == [[64 * VALUES["int8"][a] * VALUES["int8"][b]]]


@pytest.mark.parametrize("acc_bits", [9, 12, 14])
def test_one_pass_saturates_in_order_of_k(acc_bits: int) -> None:
    """Law of the array and law of the passes against clipped running sums in numpy; many of them clip."""
    rng = np.random.default_rng(acc_bits)
    half, clipped = 1 << (acc_bits - 1), 0
    for a_fmt in OPERANDS:
        for b_fmt in OPERANDS:
            a, b = rng.integers(0, 16, (2, 60)), rng.integers(0, 16, (3, 60))
            products = np.array(VALUES[a_fmt])[a][:, None, :] * np.array(VALUES[b_fmt])[b][None, :, :]
            acc = np.zeros((2, 3), np.int64)
            for k in range(60):
                acc = np.clip(acc + products[:, :, k], -half, half - 1)
            clipped += int((acc != products.sum(axis=2)).sum())
            for law in (passes_array, mac_array):
                got = law(a.tolist(), b.tolist(), a_fmt, b_fmt, acc_bits, "saturate")
                assert got == acc.tolist()
    assert clipped > 0


def test_one_pass_is_the_array() -> None:
    rng = np.random.default_rng(3)
    for a_fmt in OPERANDS:
        for b_fmt in OPERANDS:
            a, b = rng.integers(0, 16, (2, 9)).tolist(), rng.integers(0, 16, (3, 9)).tolist()
            assert passes_array(a, b, a_fmt, b_fmt, 12) == mac_array(a, b, a_fmt, b_fmt, 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0]], [[0]], "int8", "e4m3", 26), "expected"),
        (([[256]], [[0]], "int8", "int4", 26), "code=256: int8 has codes 0 to 255"),
        (([], [[0]], "int8", "int8", 26), r"a_codes=\[\]: expected at least one row"),
        (([[0, 0]], [[0]], "int8", "int8", 26), r"b_codes\[0\] has 1 codes: expected K = 2"),
        (([[0]], [[0]], "int8", "int8", 64), "64: expected an integer from 2 to 63"),
        (([[0]], [[0]], "int4", "int6", 26, "saturate"), "2 passes has no other rule than 'wrap'"),
        (([[0]], [[0]], "int4", "int4", 26, "clip"), "overflow='clip': expected 'wrap' or 'saturate'"),
    ],
)
def test_other_arguments_are_refused(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        passes_array(*arguments)  # type: ignore[arg-type]
