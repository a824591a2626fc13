"""Decoding, products and sums against numpy's integers; both sides of every condition for a fast path."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format
from fpsim.kernels.decode import decode_operand, decode_units
from fpsim.kernels.mac_array import mac_array, mac_array_decoded
from fpsim.kernels.mul import product_table
from tests.kernels.reference import OPERANDS, units

WIDE = ("int8", "e2m3", "e3m2", "uint4", "uint8")
# 16,384 units at most: its squares leave 7 terms for an int32 partial sum.
E4M0 = Format("e4m0", 4, 0, bias=1)


def exact(a: NDArray[np.uint8], b: NDArray[np.uint8], a_fmt: Format, b_fmt: Format) -> NDArray[np.int64]:
    """Sums by numpy's int64 product of the values that the format's record gives."""
    tables = []
    for fmt in (a_fmt, b_fmt):
        values = [fmt.value(code) for code in range(fmt.n_codes)]
        tables.append(np.array([int(v / fmt.step) for v in values if isinstance(v, Fraction)], np.int64))
    product: NDArray[np.int64] = tables[0][a] @ tables[1][b].T
    return product


def wrapped(x: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    half = 1 << (bits - 1)
    flat = [(int(v) + half) % (2 * half) - half for v in x.ravel()]
    return np.array(flat, np.int64).reshape(x.shape)


@pytest.mark.parametrize("name", OPERANDS)
def test_every_operand_code_decodes_to_its_level(name: str) -> None:
    codes = np.arange(16, dtype=np.uint8)
    np.testing.assert_array_equal(decode_units(codes, name), units(name))
    np.testing.assert_array_equal(decode_operand(codes, name), units(name))


def test_int8_decodes_as_twos_complement() -> None:
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(decode_units(codes, "int8"), codes.view(np.int8))


def test_every_product_of_every_mix() -> None:
    count = 0
    for a, b in itertools.product(OPERANDS, OPERANDS):
        table = product_table(a, b)
        np.testing.assert_array_equal(table, units(a)[:, None] * units(b))
        count += table.size
    assert count == 16 * 256
    assert product_table("e3m0", "e3m0").max() == 4096


@pytest.mark.parametrize(("a_fmt", "b_fmt"), [*itertools.product((*OPERANDS, *WIDE), repeat=2)])
def test_sums_of_every_mix_of_formats(a_fmt: str, b_fmt: str) -> None:
    rng = np.random.default_rng(6)
    left, right = FORMATS[a_fmt], FORMATS[b_fmt]
    for m, n, k in ((5, 7, 33), (1, 1, 0), (0, 3, 4), (2, 3, 700)):
        a = rng.integers(0, left.n_codes, (m, k), dtype=np.uint8)
        b = rng.integers(0, right.n_codes, (n, k), dtype=np.uint8)
        got = mac_array(a, b, a_fmt, b_fmt, 63)
        assert got.dtype == np.int64
        np.testing.assert_array_equal(got, exact(a, b, left, right))


@pytest.mark.parametrize(
    ("name", "longest"), [("e3m0", 4096), ("e2m1", 116508), ("int8", 1024), ("e1m2", 342392)]
)
def test_float32_sums_up_to_2_to_the_24_and_beyond(name: str, longest: int) -> None:
    """max|product| · K <= 2^24 goes through one float32 product; one more term takes a second one."""
    fmt = FORMATS[name]
    magnitude = max(abs(int(v / fmt.step)) for v in map(fmt.value, range(fmt.n_codes)))
    assert longest * magnitude**2 <= 2**24 < (longest + 1) * magnitude**2
    largest, one = (0x80, 0x01) if name == "int8" else (fmt.max_magnitude_code, 0x01)
    for k in (longest - 1, longest, longest + 1, 2 * longest + 1):
        a = np.full((2, k), largest, np.uint8)
        b = np.full((2, k), largest, np.uint8)
        a[:, -1] = b[:, -1] = one  # the last product is 1: a float32 at 2^24 would lose it
        got = mac_array(a, b, name, name, 63)
        assert (got == (k - 1) * magnitude**2 + 1).all(), k


def test_a_single_float32_product_would_be_wrong_beyond_the_condition() -> None:
    a = np.full((1, 4097), 7, np.uint8)
    a[0, -1] = 1
    decoded = decode_operand(a, "e3m0")
    assert (
        int((decoded.astype(np.float32) @ decoded.T)[0, 0])
        != 2**24 + 1
        == int(mac_array(a, a, "e3m0", "e3m0", 40)[0, 0])
    )


@pytest.mark.parametrize(("fmt", "k"), [(FORMATS["e3m2"], 83), (FORMATS["e3m2"], 84), (E4M0, 1), (E4M0, 2)])
def test_large_products_leave_the_float32_path(fmt: Format, k: int) -> None:
    a = np.full((2, k), fmt.max_magnitude_code, np.uint8)
    np.testing.assert_array_equal(mac_array(a, a, fmt, fmt, 63), exact(a, a, fmt, fmt))


@pytest.mark.parametrize(("fmt", "terms"), [(FORMATS["e3m2"], 10699), (E4M0, 7)])
def test_int32_partial_sums_up_to_their_limit_and_beyond(fmt: Format, terms: int) -> None:
    largest = int(fmt.max_value / fmt.step)
    assert terms * largest**2 <= 2**31 - 1 < (terms + 1) * largest**2
    for k in (terms, terms + 1, 3 * terms + 1):
        a = np.full((1, k), fmt.max_magnitude_code, np.uint8)
        b = a ^ np.uint8(fmt.magnitude_mask + 1)
        assert int(mac_array(a, a, fmt, fmt, 63)[0, 0]) == k * largest**2
        assert int(mac_array(a, b, fmt, fmt, 63)[0, 0]) == -k * largest**2


@pytest.mark.parametrize("bits", [2, 3, 9, 12, 16, 26, 40, 63])
def test_wrap_is_modulo_two_to_the_bits(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for name in OPERANDS:
        a = rng.integers(0, 16, (9, 200), dtype=np.uint8)
        b = rng.integers(0, 16, (8, 200), dtype=np.uint8)
        want = wrapped(exact(a, b, FORMATS[name], FORMATS[name]), bits)
        np.testing.assert_array_equal(mac_array(a, b, name, name, bits), want)


def test_wrap_at_the_register_s_ends() -> None:
    a = np.array([[7] * 8], np.uint8)  # E3M0: 8 · 4096 = 2^15
    b = np.array([[7] * 8, [15] * 8], np.uint8)
    assert mac_array(a, b, "e3m0", "e3m0", 16).tolist() == [[-(2**15), -(2**15)]]
    assert mac_array(a, b, "e3m0", "e3m0", 17).tolist() == [[2**15, -(2**15)]]


@pytest.mark.parametrize("bits", [2, 6, 9, 11, 14, 26, 63])
def test_saturation_after_every_addition_and_at_the_end(bits: int) -> None:
    rng = np.random.default_rng(bits)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    count = 0
    for name in OPERANDS:
        a = rng.integers(0, 16, (6, 60), dtype=np.uint8)
        b = rng.integers(0, 16, (5, 60), dtype=np.uint8)
        every = np.zeros((6, 5), np.int64)
        for k in range(60):
            every = np.clip(every + units(name)[a[:, k]][:, None] * units(name)[b[:, k]], low, high)
        np.testing.assert_array_equal(mac_array(a, b, name, name, bits, "saturate"), every)
        end = np.clip(exact(a, b, FORMATS[name], FORMATS[name]), low, high)
        np.testing.assert_array_equal(mac_array(a, b, name, name, bits, "saturate-end"), end)
        count += every.size
    assert count == 4 * 30


@pytest.mark.parametrize(("k", "clamps"), [(14, False), (15, True)])
def test_saturation_equals_the_exact_sum_while_no_prefix_can_reach_the_bound(k: int, clamps: bool) -> None:
    """E2M1 products reach 144: 14 of them stay within 2047, fifteen do not."""
    a = np.full((1, k), 7, np.uint8)
    b = np.full((2, k), 7, np.uint8)
    b[1] = 15
    ends = mac_array(a, b, "e2m1", "e2m1", 12, "saturate")[0].tolist()
    assert ends == ([2047, -2048] if clamps else [144 * k, -144 * k])
    b[:, -1] ^= 8  # the last product turns back: a clamp at the end only would forget the clamped prefix
    long = np.concatenate([np.full((1, 1), 7, np.uint8), a], axis=1)
    b = np.concatenate([np.array([[7], [15]], np.uint8), b], axis=1)
    back = mac_array(long, b, "e2m1", "e2m1", 12, "saturate")[0].tolist()
    assert back == ([2047 - 144, -2048 + 144] if clamps else [144 * (k - 1), -144 * (k - 1)])


def test_decoded_operands_give_the_same_sums() -> None:
    rng = np.random.default_rng(7)
    a, b = (rng.integers(0, 16, shape, dtype=np.uint8) for shape in ((4, 64), (6, 64)))
    weights = decode_operand(b, "e3m0")
    for overflow in ("wrap", "saturate", "saturate-end"):
        got = mac_array_decoded(decode_operand(a, "e2m1"), weights, "e2m1", "e3m0", 13, overflow)
        np.testing.assert_array_equal(got, mac_array(a, b, "e2m1", "e3m0", 13, overflow))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"a_codes": np.full((1, 2), 16, np.uint8)}, "codes holds 16: e2m1 has codes 0 to 15"),
        ({"a_codes": np.zeros((1, 3), np.uint8)}, r"b.shape=\(1, 2\): expected \(N, 3\)"),
        ({"b_codes": np.zeros(2, np.uint8)}, r"b_codes.shape=\(2,\): expected 2 dimensions"),
        ({"b_codes": np.zeros((1, 2), np.int64)}, "b_codes.dtype=int64: expected uint8"),
        ({"a_fmt": "e4m3"}, "fmt='e4m3': expected an operand format"),
        ({"b_fmt": "fp5"}, "format='fp5': expected one of"),
        ({"acc_bits": 1}, "acc_bits=1: expected an integer from 2 to 63"),
        ({"acc_bits": 64}, "acc_bits=64"),
        ({"overflow": "clamp"}, "overflow='clamp': expected one of wrap, saturate, saturate-end"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], message: str) -> None:
    zeros = np.zeros((1, 2), np.uint8)
    arguments = {"a_codes": zeros, "b_codes": zeros, "a_fmt": "e2m1", "b_fmt": "e2m1", "acc_bits": 26}
    with pytest.raises(ValueError, match=message):
        mac_array(**{**arguments, **changes})
