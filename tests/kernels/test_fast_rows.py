"""The input side on vectors: the bits of the plain loops and of the units, order and thresholds included."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import FORMATS
from fpsim.kernels import fast_rows
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude, row_scale
from fpsim.kernels.rows import quantize_rows
from fpsim.kernels.vector_rows import place
from tests.kernels.reference import LEVELS

TAKEN = ("e2m1", "e1m2", "int4")


@pytest.fixture(params=["vectors", "loops"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FPSIM_AVX512", "1" if request.param == "vectors" else "0")
    return str(request.param)


def fp16_rows(m: int, k: int, seed: int) -> NDArray[np.uint16]:
    """Rows of any patterns, of close exponents, of subnormals, of one number, and with specials."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << 16, (m, k), dtype=np.uint16)
    x[(x & 0x7C00) == 0x7C00] &= 0x83FF
    kind = np.arange(m) % 6
    x[kind == 1] = (rng.standard_normal((int((kind == 1).sum()), k)) * 3).astype(np.float16).view(np.uint16)
    x[kind == 2] &= 0x83FF
    x[kind == 3] = 0x7BFF
    x[kind == 4] = x[kind == 4, :1]
    x[kind == 5] *= rng.random((int((kind == 5).sum()), k)) < 0.02
    x[7, k // 2 : k // 2 + 1] = 0x7C00
    x[8, k - 1 :] = 0xFE01
    x[9] = 0x8000
    return x


def by_units(
    x: NDArray[np.uint16], guard_bits: int, n: int | None, base: int | None, signs: NDArray[np.int8] | None,
    fmt: str, static: tuple[int, int] | None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.bool_]]:  # fmt: skip
    ints, exps, special = align(x, guard_bits, exp=None if static is None else static[0])
    h = ints if n is None else hadamard_blocks(ints, n, signs, base=base)
    amp = amplitude(amax(h)) if static is None else np.full(len(x), static[1], np.int32)
    return quantizer(h, amp, fmt), row_scale(amp, exps, guard_bits), special


@pytest.mark.parametrize("fmt", [*TAKEN, "e3m0"])
@pytest.mark.parametrize(
    ("n", "base", "blocks"),
    [
        (None, None, 1),
        (32, None, 1),
        (32, None, 3),
        (64, None, 3),
        (128, None, 3),
        (256, None, 2),
        (384, None, 1),
        (768, None, 1),
        (1152, 36, 1),
        (1152, 36, 3),
        (2304, 36, 1),
        (4608, 36, 1),
        (4608, 144, 1),
        (16, None, 5),
        (1152, 144, 1),
    ],
)
def test_rows_equal_the_units(fmt: str, n: int | None, base: int | None, blocks: int, way: str) -> None:
    rng = np.random.default_rng(40)
    for k in (0, 1, 15, 16, 63, 64, 65, 200) if n is None else (n * blocks,):
        x = fp16_rows(24, k, seed=k)
        signs = rng.choice(np.array([-1, 1], np.int8), k) if n else None
        for guard_bits in (0, 4, 8):
            for static in (None, (1, 5), (17, 1389 << 6), (30, 0), (9, 1)):
                if ((1 << (11 + guard_bits)) - 1) * (n or 1) > 1 << 30:
                    continue
                got = quantize_rows(
                    x,
                    guard_bits=guard_bits,
                    hadamard_n=n,
                    hadamard_base=base,
                    signs=signs,
                    fmt=fmt,
                    static=static,
                )
                want = by_units(x, guard_bits, n, base, signs, fmt, static)
                for one, other in zip(got, want, strict=True):
                    np.testing.assert_array_equal(one, other, f"K={k} guard_bits={guard_bits} {static}")
                assert got[2].any() == (k > 0)


@pytest.mark.parametrize("fmt", TAKEN)
@pytest.mark.parametrize("guard_bits", [0, 4, 8])
def test_every_threshold_of_every_amplitude_it_can_have(fmt: str, guard_bits: int, way: str) -> None:
    """Under a static exponent of 25 an FP16 integer S becomes S · 2^guard_bits: all around each threshold."""
    levels = LEVELS[fmt]
    checked = 0
    for amp in [*range(1, 260), *range(1000, 2048, 7)]:
        scaled = amp << guard_bits
        near = {scaled * (a + b) // (2 * levels[7]) >> guard_bits for a, b in itertools.pairwise(levels)}
        values = sorted({abs(v + d) for v in near for d in (-1, 0, 1, 2)} | {0, amp, min(2 * amp + 1, 2047)})
        x = np.array([values + [-v for v in values]], np.float16).view(np.uint16)
        codes = quantize_rows(
            x, guard_bits=guard_bits, hadamard_n=None, signs=None, fmt=fmt, static=(25, scaled)
        )[0]
        want = quantizer(
            (x.view(np.float16).astype(np.int32)) << guard_bits, np.array([scaled], np.int32), fmt
        )
        np.testing.assert_array_equal(codes, want, f"amp={scaled}")
        checked += codes.size
    assert checked > 10_000


def test_quotients_of_float64_have_the_floor_of_the_integers() -> None:
    rng = np.random.default_rng(41)
    amps = np.concatenate([np.arange(2048), rng.integers(1024, 2048, 20_000) << rng.integers(0, 20, 20_000)])
    for fmt in TAKEN:
        levels = LEVELS[fmt]
        for a, b in itertools.pairwise(levels):
            for extra in (0, 2 * levels[7] - 1):
                targets = amps * (a + b) + extra
                by_float = (targets.astype(np.float64) / np.float64(2 * levels[7])).astype(np.int64)
                np.testing.assert_array_equal(by_float, targets // (2 * levels[7]))


@pytest.mark.parametrize("fmt", TAKEN)
def test_thresholds_lie_inside_buckets_of_their_own(fmt: str) -> None:
    found = fast_rows.buckets(FORMATS[fmt])
    assert found is not None
    levels = LEVELS[fmt]
    for i in range(7):
        place = Fraction(levels[i] + levels[i + 1], 2 * levels[7]) * Fraction(144, 10)
        assert abs(place - int(found.of_threshold[i])) <= Fraction(2, 5)
        assert found.below[found.of_threshold[i]] == i
    assert found.below[14:].tolist() == [7, 7]
    assert fast_rows.buckets(FORMATS["e3m0"]) is None


def test_places_are_a_permutation() -> None:
    assert [place(j, False) for j in range(64)] == [*range(64)]
    assert sorted(place(j, True) for j in range(64)) == [*range(64)]
    assert [place(j, True) for j in (0, 1, 15, 16, 17, 31, 32, 48)] == [0, 2, 30, 1, 3, 31, 32, 33]


def test_which_rows_go_on_vectors() -> None:
    taken = [
        fast_rows.takes(FORMATS["e2m1"], n, base)
        for n, base in ((1, 1), (16, 1), (32, 1), (1152, 36), (576, 36))
    ]
    assert taken == [True, False, True, True, False]
    assert not fast_rows.takes(FORMATS["e3m0"], 32, 1)
