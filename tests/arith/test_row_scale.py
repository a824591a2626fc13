"""Amplitudes against numpy's float16 (11 significant bits), scales against numpy's float32."""

from __future__ import annotations

import numpy as np
import pytest

from fpsim.arith.row_scale import amplitude, row_scale


def test_amplitudes_round_as_float16_does() -> None:
    # Integers up to 65504 + 15 are normal float16 numbers: its rounding is the one asked for.
    amax = np.arange(65520)
    assert [amplitude(a) for a in amax.tolist()] == amax.astype(np.float16).astype(np.int64).tolist()


def test_large_amplitudes_round_as_float16_does_after_scaling() -> None:
    rng = np.random.default_rng(50)
    for bits in range(17, 28):
        amax = rng.integers(1 << (bits - 1), 1 << bits, 300)
        amax[:2] = (1 << (bits - 1), (1 << bits) - 1)
        scale = 2.0 ** (bits - 12)
        expected = (amax / scale).astype(np.float16).astype(np.float64) * scale
        assert [amplitude(a) for a in amax.tolist()] == expected.astype(np.int64).tolist(), f"{bits} bits"


def test_a_carry_makes_a_power_of_two() -> None:
    assert amplitude((1 << 20) - 1) == 1 << 20
    assert [amplitude(a) for a in (2047, 2048, 2049, 2050, 2051)] == [2047, 2048, 2048, 2050, 2052]


def test_scales_are_float32_numbers_without_the_lower_bits() -> None:
    rng = np.random.default_rng(51)
    amplitudes = sorted({amplitude(int(a)) for a in 2 ** rng.uniform(0, 27, 100)} | {1, 2047, 1 << 21})
    cases = 0
    for guard_bits in (0, 4, 8):
        for exp in range(1, 32):
            values = np.ldexp(np.array(amplitudes, dtype=np.float64), exp - 25 - guard_bits).astype(
                np.float32
            )
            bits = values.view(np.uint32)
            assert not np.any(bits & 0x1FFF), "float32 holds them in 10 stored significand bits"
            got = [row_scale(amp, exp, guard_bits) for amp in amplitudes]
            assert got == (bits >> 13).tolist(), f"exp={exp} guard_bits={guard_bits}"
            cases += len(amplitudes)
    assert cases > 8000


def test_the_scale_of_zero_is_zero() -> None:
    assert row_scale(0, 1, 8) == 0


@pytest.mark.parametrize(
    ("amp", "exp", "guard_bits", "message"),
    [
        (2049, 15, 4, "amp=2049: expected at most 11 significant bits"),
        (-1, 15, 4, "amp=-1: expected an integer at least 0"),
        (1, 0, 4, "exp=0: expected an integer from 1 to 31"),
        (1, 32, 4, "exp=32: expected an integer from 1 to 31"),
        (1, 15, 9, "guard_bits=9: expected an integer from 0 to 8"),
        (1 << 300, 15, 4, "outside the range of tf32"),
    ],
)
def test_other_arguments_are_refused(amp: int, exp: int, guard_bits: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        row_scale(amp, exp, guard_bits)


def test_a_negative_amax_is_refused() -> None:
    with pytest.raises(ValueError, match="amax=-1: expected an integer at least 0"):
        amplitude(-1)
