"""Sums that saturate after every addition, in narrow lanes and in loops, against numpy's integers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import FORMATS
from fpsim.kernels import saturating
from fpsim.kernels.decode import decode_units, max_units
from fpsim.kernels.mac_array import mac_array, mac_array_decoded
from fpsim.kernels.prepared import Prepared
from fpsim.kernels.simd import avx512_in_use

PAIRS = (("e2m1", "e2m1"), ("e3m0", "e3m0"), ("int8", "int8"), ("int4", "int8"), ("e2m3", "e3m0"))
SHAPES = ((1, 1, 3), (7, 47, 64), (8, 48, 65), (9, 49, 5), (3, 96, 130), (2, 97, 63))


@pytest.fixture(params=["vectors", "loops"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FPSIM_AVX512", "1" if request.param == "vectors" else "0")
    return str(request.param)


def clamped(
    a: NDArray[np.uint8], b: NDArray[np.uint8], fmts: tuple[str, str], bits: int
) -> tuple[NDArray[np.int64], int]:
    """Sums step by step in int64, and how often one was clamped."""
    left, right = (decode_units(x, fmt).astype(np.int64) for x, fmt in ((a, fmts[0]), (b, fmts[1])))
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    sums, times = np.zeros((len(a), len(b)), np.int64), 0
    for k in range(a.shape[1]):
        sums += left[:, k][:, None] * right[:, k]
        times += int(((sums < low) | (sums > high)).sum())
        sums = np.clip(sums, low, high)
    return sums, times


def largest(fmt: str) -> tuple[int, int]:
    """Codes of the largest unit and of the most negative one."""
    units = decode_units(np.arange(FORMATS[fmt].n_codes, dtype=np.uint8), fmt)
    return int(units.argmax()), int(units.argmin())


@pytest.mark.parametrize("fmts", PAIRS)
@pytest.mark.parametrize("bits", [2, 8, 15, 16, 17, 18, 20, 24, 31, 32])
def test_sums_are_clamped_after_every_addition(fmts: tuple[str, str], bits: int, way: str) -> None:
    rng = np.random.default_rng(bits)
    for m, n, k in SHAPES:
        a = rng.integers(0, FORMATS[fmts[0]].n_codes, (m, k), dtype=np.uint8)
        b = rng.integers(0, FORMATS[fmts[1]].n_codes, (n, k), dtype=np.uint8)
        want, _ = clamped(a, b, fmts, bits)
        np.testing.assert_array_equal(mac_array(a, b, *fmts, bits, "saturate"), want, f"{m}x{k}x{n}")


@pytest.mark.parametrize("fmts", PAIRS)
def test_rows_that_clamp_everywhere_nowhere_up_and_back(fmts: tuple[str, str], way: str) -> None:
    """Against a column of the largest unit: up, down, up then down, down then up, and alternately."""
    (up, down), (top, _) = largest(fmts[0]), largest(fmts[1])
    k, half = 200, 100
    rows = [[up] * k, [down] * k, [up] * half + [down] * half, [down] * half + [up] * half, [up, down] * half]
    a, b = np.array(rows, np.uint8), np.full((50, k), top, np.uint8)
    product = max_units(FORMATS[fmts[0]]) * max_units(FORMATS[fmts[1]])
    edge = (half * product).bit_length() + 1  # this register just holds what half of a row sums up to
    for bits in {2, 9, 15, 16, 17, product.bit_length(), product.bit_length() + 1, edge - 1, edge}:
        want, times = clamped(a, b, fmts, max(bits, 2))
        assert (times > 0) == (bits <= edge), bits
        np.testing.assert_array_equal(mac_array(a, b, *fmts, max(bits, 2), "saturate"), want, f"{bits} bits")


def test_lanes_are_as_narrow_as_register_and_products_allow() -> None:
    limit = (1 << 15) - 1
    assert [saturating.lane_bits(144, bits) for bits in (2, 15, 16, 17, 31, 32)] == [16, 16, 16, 32, 32, 64]
    assert [saturating.lane_bits(product, 16) for product in (limit, limit + 1)] == [16, 32]
    room = (1 << 31) - (1 << 30)  # beside a register of 31 bits
    assert [saturating.lane_bits(product, 31) for product in (room - 1, room)] == [32, 64]


@pytest.mark.parametrize(
    ("fmt", "bits", "on_vectors"),
    [("e2m1", 16, True), ("int8", 31, True), ("int8", 32, False), ("e3m2", 16, False), ("uint8", 16, False)],
)
def test_which_products_go_on_vectors(
    fmt: str, bits: int, on_vectors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = np.zeros((1, 1), np.uint8)
    monkeypatch.delenv("FPSIM_AVX512", raising=False)
    operand = Prepared(codes, fmt)
    product = max_units(operand.fmt) ** 2
    assert saturating.takes(operand, operand, product, bits) == (on_vectors and avx512_in_use())
    monkeypatch.setenv("FPSIM_AVX512", "0")
    assert not saturating.takes(operand, operand, product, bits)


def test_a_kept_operand_gives_the_same_sums() -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.integers(0, 16, shape, dtype=np.uint8) for shape in ((9, 70), (150, 70)))
    a[0] = b[0] = 7
    left, right = Prepared(a, "e2m1"), Prepared(b, "e3m0", keep=True)
    for bits in (10, 10, 16, 17):
        got = mac_array_decoded(left, right, "e2m1", "e3m0", bits, "saturate")
        want, times = clamped(a, b, ("e2m1", "e3m0"), bits)
        np.testing.assert_array_equal(got, want)
        assert (times > 0) == (bits < 17)
