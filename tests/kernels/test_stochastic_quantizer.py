"""Stochastic codes and random words: the kernels against the law."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.arith import lfsr as lfsr_law
from fpsim.arith import stochastic_quantizer as law
from fpsim.kernels.lfsr import lfsr_words
from fpsim.kernels.stochastic_quantizer import FORMATS_TAKEN, stochastic_quantizer


@pytest.mark.parametrize("fmt", FORMATS_TAKEN)
@pytest.mark.parametrize("nbits", [1, 5, 16])
def test_the_kernel_is_the_law(fmt: str, nbits: int) -> None:
    rng = np.random.default_rng(nbits)
    amp = np.array([0, 1, 12, 13, 63, 1000, 2040 << 9, 1 << 30], np.int32)
    half = {"int6": 32, "int8": 128}.get(fmt, 8)
    near = (amp[:, None] * rng.uniform(-1.1, 1.1, (8, 60))).clip(-(2**31) + 1, 2**31 - 1).astype(np.int32)
    h = np.concatenate([near, rng.integers(-14, 15, (8, 40), dtype=np.int32)], axis=1)
    h[:, 0], h[:, 1] = 2**31 - 1, -(2**31) + 1
    draws = rng.integers(0, 1 << nbits, h.shape, dtype=np.uint16)
    zeros = rng.integers(-half, half, 8, dtype=np.int32)
    for zero in [None, zeros] if fmt.startswith("int") else [None]:
        got = stochastic_quantizer(h, amp, fmt, (draws, nbits), zero)
        for m, k in np.ndindex(*h.shape):
            z = None if zero is None else int(zero[m])
            want = law.stochastic_quantizer(int(h[m, k]), int(amp[m]), fmt, (int(draws[m, k]), nbits), z)
            assert got[m, k] == want, (h[m, k], amp[m], draws[m, k], z)


def test_it_refuses_what_it_cannot_take() -> None:
    h, amp, draws = np.zeros((1, 2), np.int32), np.ones(1, np.int32), np.zeros((1, 2), np.uint16)
    for changed, message in (
        ((h, amp, "e4m3", (draws, 4)), "fmt='e4m3'"),
        ((h, amp, "int4", (draws, 17)), "random_bits count=17: expected an integer from 1 to 16"),
        ((h, amp, "int4", (draws[:, :1], 4)), r"random_bits.shape=\(1, 1\): expected \(1, 2\)"),
        ((h, amp, "int4", (draws + np.uint16(16), 4)), "random_bits"),
        ((h, amp, "e2m1", (draws, 4), np.zeros(1, np.int32)), "e2m1 has no zero point"),
    ):
        with pytest.raises(ValueError, match=message):
            stochastic_quantizer(*changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [1, 8, 31, 32])
def test_words_are_those_of_the_law(bits: int) -> None:
    words, after = lfsr_words(12345, 200, bits)
    draw = lfsr_law.lfsr(12345, 200 * bits)
    assert [draw.bits >> (i * bits) & ((1 << bits) - 1) for i in range(200)] == words.tolist()
    assert after == draw.state


def test_bad_words_are_refused() -> None:
    with pytest.raises(ValueError, match="state=0"):
        lfsr_words(0, 1, 1)
    with pytest.raises(ValueError, match="bits=33"):
        lfsr_words(1, 1, 33)
