"""The fused input side equals its units one after the other, and the units on a worked row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude, row_scale
from fpsim.kernels.rows import quantize_rows
from tests.kernels.reference import OPERANDS, finite_fp16


def rows(m: int, k: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(m, k)) * 2.0 ** rng.integers(-20, 13, size=(m, 1))
    return x.astype(np.float16).view(np.uint16)


@pytest.mark.parametrize("fmt", OPERANDS)
@pytest.mark.parametrize("guard_bits", [0, 4, 8])
@pytest.mark.parametrize("n", [None, 2, 4, 8, 32, 128, 12, 96, 384])
@pytest.mark.parametrize("static", [None, (20, 1500 << 4)])
def test_one_pass_equals_the_units(
    fmt: str, guard_bits: int, n: int | None, static: tuple[int, int] | None
) -> None:
    k = 37 if n is None else 3 * n
    x = rows(40, k, seed=k)
    x[0] = 0
    x[1, 0] = 0x7C00
    x[2, -1] = 0xFE01
    rng = np.random.default_rng(10)
    all_signs = (None, rng.choice([-1, 1], k).astype(np.int8)) if n else (None,)
    for signs in all_signs:
        got = quantize_rows(x, guard_bits=guard_bits, hadamard_n=n, signs=signs, fmt=fmt, static=static)
        ints, exps, special = align(x, guard_bits, exp=None if static is None else static[0])
        h = ints if n is None else hadamard_blocks(ints, n, signs)
        amp = amplitude(amax(h)) if static is None else np.full(len(x), static[1], np.int32)
        np.testing.assert_array_equal(got[0], quantizer(h, amp, fmt))
        np.testing.assert_array_equal(got[1], row_scale(amp, exps, guard_bits))
        np.testing.assert_array_equal(got[2], special)
        assert np.flatnonzero(got[2]).tolist() == [1, 2]


def test_a_row_worked_by_hand() -> None:
    """x = 1, 0.5, -2, 0 with 4 guard bits: exponent field 16, integers 8192, 4096, -16384, 0.

    Hadamard of 2: 12288, 4096, -16384, -16384. amax 16384 has one significant bit; row scale
    16384 · 2^(16 - 29) = 2. In twelfths of A: 9, 3, -12, -12: levels 8 (nearer than 12), 3, -12, -12.
    """
    x = np.array([[0x3C00, 0x3800, 0xC000, 0x0000]], np.uint16)
    codes, scale, special = quantize_rows(x, guard_bits=4, hadamard_n=2, signs=None, fmt="e2m1")
    assert codes.tolist() == [[6, 3, 15, 15]]
    assert scale.tolist() == [128 << 10]
    assert special.tolist() == [False]


def test_every_fp16_pattern_as_a_row_of_its_own() -> None:
    """Alone in its row, every non-zero number is its own amax: the largest code, the scale its magnitude."""
    bits = finite_fp16()
    codes, scale, _ = quantize_rows(bits[:, None], guard_bits=4, hadamard_n=None, signs=None, fmt="e2m1")
    magnitude = np.abs(bits.view(np.float16)).astype(np.float32)
    np.testing.assert_array_equal(scale << np.uint32(13), magnitude.view(np.uint32))
    np.testing.assert_array_equal(codes[:, 0], np.where(magnitude == 0, 0, np.where(bits >> 15, 15, 7)))
    assert bits.size == 63488


def test_threads_do_not_change_a_bit() -> None:
    x = rows(64, 256, seed=11)
    whole = quantize_rows(x, guard_bits=4, hadamard_n=32, signs=None, fmt="e2m1")
    with ThreadPoolExecutor(2) as pool:
        parts = list(
            pool.map(
                lambda part: quantize_rows(part, guard_bits=4, hadamard_n=32, signs=None, fmt="e2m1"),
                np.array_split(x, 7),
            )
        )
    for i, want in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[i] for part in parts]), want)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"hadamard_n": 24, "signs": np.ones(24, np.int8)},
            "hadamard_n=24: expected a divisor of the row length 64",
        ),
        ({"hadamard_n": 6}, "hadamard_n=6: expected a power of two, or 12 or 36 times"),
        ({"hadamard_n": None}, "signs: expected None without a rotation"),
        ({"signs": np.zeros(64, np.int8)}, "signs holds 0: expected -1 or 1"),
        ({"fmt": "int8"}, "fmt='int8': expected one of e2m1, e3m0, e1m2, int4"),
        ({"static": (31, 5)}, "static exp=31: expected an integer from 1 to 30"),
        ({"static": (5, 2049)}, "static amp=2049: expected at most 11 significant bits"),
        ({"static": 5}, r"static=5: expected \(exp, amp\) or None"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, object], message: str) -> None:
    arguments = {"guard_bits": 4, "hadamard_n": 32, "signs": np.ones(64, np.int8), "fmt": "e2m1"}
    with pytest.raises(ValueError, match=message):
        quantize_rows(np.zeros((1, 64), np.uint16), **{**arguments, **changes})


def test_the_largest_rotation_that_fits_and_the_next() -> None:
    x = np.full((1, 4096), 0x7BFF, np.uint16)
    scale = quantize_rows(x[:, :2048], guard_bits=8, hadamard_n=2048, signs=None, fmt="e2m1")[1]
    assert scale[0] << 13 == np.float32(65504 * 2048).view(np.uint32)
    with pytest.raises(ValueError, match="hadamard_n=4096: expected"):
        quantize_rows(x, guard_bits=8, hadamard_n=4096, signs=None, fmt="e2m1")
