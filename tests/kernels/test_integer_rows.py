"""Wide integer codes: a row worked by hand, every FP16 pattern, independence of rows, named refusals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fpsim.kernels import integer_rows
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.integer_quantizer import integer_quantizer, zero_points
from fpsim.kernels.integer_rows import quantize_integer_rows
from fpsim.kernels.rows import quantize_rows
from fpsim.kernels.zero_sums import without_zeros
from tests.kernels.reference import finite_fp16

INTEGERS = ("int4", "int6", "int8")
PLAIN = {"guard_bits": 4, "hadamard_n": None, "signs": None}


def rows(m: int, k: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(m, k)) + 0.5) * 2.0 ** rng.integers(-20, 13, size=(m, 1))
    return x.astype(np.float16).view(np.uint16)


def test_a_row_worked_by_hand() -> None:
    """x = -1, 0, 1.5, 4 with 4 guard bits: exponent field 17, unit 2^-12, integers -4096, 0, 6144, 16384.

    Span 20480 = 5 · 2^12, so one of 255 steps is 5/255; zero point 51, as a code -77. 1.5 is 76.5 steps,
    a tie to 76. Row scale 20480 · 2^(17 - 29) = 5.
    """
    x = np.array([[-1, 0, 1.5, 4]], np.float16).view(np.uint16)
    got = quantize_integer_rows(x, **PLAIN, fmt="int8", zero="row")
    assert got.codes.view(np.int8).tolist() == [[-128, -77, -1, 127]]
    assert got.zeros.tolist() == [-77]
    assert (got.row_scale << np.uint32(13)).view(np.float32).tolist() == [5.0]
    assert got.special.tolist() == [False]


def test_a_symmetric_row_worked_by_hand() -> None:
    """The same row without a zero point: 31 levels over 4; -1 and 1.5 are 7.75 and 11.625 steps."""
    x = np.array([[-1, 0, 1.5, 4]], np.float16).view(np.uint16)
    got = quantize_integer_rows(x, **PLAIN, fmt="int6")
    assert got.codes.tolist() == [[64 - 8, 0, 12, 31]]
    assert got.zeros.tolist() == [0]
    assert (got.row_scale << np.uint32(13)).view(np.float32).tolist() == [4.0]


@pytest.mark.parametrize("fmt", INTEGERS)
def test_every_fp16_pattern_as_a_row_of_its_own(fmt: str) -> None:
    """Alone, a number is the end of its codes: the top, or the bottom of all with a zero point at the top."""
    bits = finite_fp16()
    half = {"int4": 8, "int6": 32, "int8": 128}[fmt]
    value = bits.view(np.float16).astype(np.float32)
    for zero in (None, "row"):
        got = quantize_integer_rows(bits[:, None], **PLAIN, fmt=fmt, zero=zero)
        np.testing.assert_array_equal(got.row_scale << np.uint32(13), np.abs(value).view(np.uint32))
        low = 1 - half if zero is None else -half
        signed = np.where(value == 0, got.zeros, np.where(value < 0, low, half - 1))
        np.testing.assert_array_equal(got.codes[:, 0], signed % (2 * half))
        zeros = 0 if zero is None else np.where(value < 0, half - 1, -half)
        np.testing.assert_array_equal(got.zeros, zeros)
    assert bits.size == 63488


@pytest.mark.parametrize("n", [None, 8, 12])
@pytest.mark.parametrize("static", [None, (20, 1500 << 4)])
def test_int4_without_a_zero_point_is_the_4_bit_path(n: int | None, static: tuple[int, int] | None) -> None:
    x = rows(50, 48, seed=4)
    x[3, 5], x[7, 0] = 0x7C00, 0xFE01
    signs = None if n is None else np.random.default_rng(1).choice([-1, 1], 48).astype(np.int8)
    got = quantize_integer_rows(x, guard_bits=4, hadamard_n=n, signs=signs, fmt="int4", static=static)
    want = quantize_rows(x, guard_bits=4, hadamard_n=n, signs=signs, fmt="int4", static=static)
    for a, b in zip((got.codes, got.row_scale, got.special), want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fmt", INTEGERS)
def test_a_static_scale_codes_the_rotated_integers(fmt: str) -> None:
    x = rows(20, 24, seed=5)
    ints, _, _ = align(x, 2, 16)
    amp = np.full(20, 1200 << 3, np.int32)
    for n, zero in ((None, None), (8, -5), (24, 6)):
        h = ints if n is None else hadamard_blocks(ints, n)
        got = quantize_integer_rows(
            x, guard_bits=2, hadamard_n=n, signs=None, fmt=fmt, zero=zero, static=(16, 1200 << 3)
        )
        zeros = None if zero is None else np.full(20, zero, np.int32)
        np.testing.assert_array_equal(got.codes, integer_quantizer(h, amp, fmt, zeros))
        assert (got.zeros == (zero or 0)).all()


def test_rows_are_independent_of_blocks_and_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows(64, 96, seed=11)
    options = {"guard_bits": 4, "hadamard_n": 32, "signs": None, "fmt": "int8", "zero": "row"}
    whole = quantize_integer_rows(x, **options)
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda part: quantize_integer_rows(part, **options), np.array_split(x, 7)))
    monkeypatch.setattr(integer_rows, "_BLOCK", 500)
    small = quantize_integer_rows(x, **options)
    for i, want in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), want)
        np.testing.assert_array_equal(small[i], want)


def test_no_rows_and_no_columns() -> None:
    assert quantize_integer_rows(np.empty((0, 4), np.uint16), **PLAIN, fmt="int8").codes.shape == (0, 4)
    got = quantize_integer_rows(np.empty((2, 0), np.uint16), **PLAIN, fmt="int8", zero="row")
    assert got.zeros.tolist() == [-128, -128]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fmt": "e2m1"}, "fmt='e2m1': expected one of int4, int6, int8"),
        ({"hadamard_n": 24, "signs": np.ones(64, np.int8)}, "hadamard_n=24: expected a divisor of"),
        ({"hadamard_n": None}, "signs: expected None without a rotation"),
        ({"signs": np.zeros(64, np.int8)}, "signs holds 0: expected -1 or 1"),
        ({"guard_bits": 9}, "guard_bits=9: expected an integer from 0 to 8"),
        ({"static": (31, 5)}, "static exp=31: expected an integer from 1 to 30"),
        ({"zero": 3}, "zero=3: expected None or 'row' with a dynamic scale"),
        ({"zero": "row", "static": (5, 5)}, "zero='row': expected an integer from -128 to 127"),
        ({"zero": 128, "static": (5, 5)}, "zero=128: expected an integer from -128 to 127"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], message: str) -> None:
    arguments = {"guard_bits": 4, "hadamard_n": 32, "signs": np.ones(64, np.int8), "fmt": "int8"}
    with pytest.raises(ValueError, match=message):
        quantize_integer_rows(np.zeros((1, 64), np.uint16), **{**arguments, **changes})


def test_the_largest_rotation_that_fits_and_the_next() -> None:
    x = np.full((1, 2048), 0x7BFF, np.uint16)
    options = {"guard_bits": 8, "signs": None, "fmt": "int8", "zero": "row"}
    scale = quantize_integer_rows(x[:, :1024], hadamard_n=1024, **options).row_scale
    assert scale[0] << 13 == np.float32(65504 * 1024).view(np.uint32)
    with pytest.raises(ValueError, match=r"hadamard_n=2048: expected .* <= 2\^29"):
        quantize_integer_rows(x, hadamard_n=2048, **options)


def test_bad_arguments_of_the_parts_are_named() -> None:
    h, amp = np.zeros((2, 3), np.int32), np.zeros(2, np.int32)
    with pytest.raises(ValueError, match="amp holds -1: expected values from 0"):
        integer_quantizer(h, amp - 1, "int8")
    with pytest.raises(ValueError, match="zero holds 32: expected values from -32 to 31"):
        integer_quantizer(h, amp, "int6", amp + 32)
    with pytest.raises(ValueError, match=r"zero.shape=\(1,\): expected \(2,\)"):
        integer_quantizer(h, amp, "int6", amp[:1])
    with pytest.raises(ValueError, match="h holds -2147483648"):
        integer_quantizer(np.full((2, 3), -(2**31), np.int32), amp, "int8")
    with pytest.raises(ValueError, match="low holds 1: expected values from"):
        zero_points(amp + 1, amp, "int8")
    with pytest.raises(ValueError, match="low holds -9: expected at least -4, the span of row 1"):
        zero_points(np.array([-4, -9], np.int32), np.array([4, 4], np.int32), "int8")
    sums = {"row_sums": np.zeros(2, np.int64), "col_sums": np.zeros(3, np.int64)}
    with pytest.raises(ValueError, match=r"weight_zero.shape=\(2,\): expected \(3,\)"):
        without_zeros(
            np.zeros((2, 3), np.int64), depth=4, **sums, act_zero=amp, weight_zero=np.zeros(2, np.int16)
        )
