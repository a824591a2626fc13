"""Products in 8-bit tiles: numpy's integers, with the tiles and without, on both sides of their bounds."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core.codegen import get_host_cpu_features
from numba.core.registry import cpu_target
from numpy.typing import NDArray

from fpsim.formats import FORMATS
from fpsim.kernels import simd, tiles
from fpsim.kernels.decode import decode_units
from fpsim.kernels.mac_array import mac_array, mac_array_decoded
from fpsim.kernels.pack import pack
from fpsim.kernels.prepared import Prepared, fits_bytes

FORMS = ("e2m1", "e3m0", "e1m2", "int4", "int8", "uint4", "e2m3")
SHAPES = ((1, 1, 1), (1, 1, 0), (0, 5, 3), (3, 0, 8), (1, 100, 5), (9, 49, 63), (8, 48, 64), (17, 97, 130))


@pytest.fixture(params=["tiles", "portable"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FPSIM_AVX512", "1" if request.param == "tiles" else "0")
    return str(request.param)


def random_codes(rng: np.random.Generator, fmt: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    return rng.integers(0, FORMATS[fmt].n_codes, shape, dtype=np.uint8)


def exact(a: NDArray[np.uint8], b: NDArray[np.uint8], a_fmt: str, b_fmt: str) -> NDArray[np.int64]:
    left, right = (decode_units(x, f).astype(np.int64) for x, f in ((a, a_fmt), (b, b_fmt)))
    product: NDArray[np.int64] = left @ right.T
    return product


@pytest.mark.parametrize(("a_fmt", "b_fmt"), [*itertools.product(FORMS, repeat=2)])
def test_ragged_shapes(a_fmt: str, b_fmt: str, way: str) -> None:
    rng = np.random.default_rng(30)
    for m, n, k in SHAPES:
        a, b = random_codes(rng, a_fmt, (m, k)), random_codes(rng, b_fmt, (n, k))
        want = exact(a, b, a_fmt, b_fmt)
        np.testing.assert_array_equal(mac_array(a, b, a_fmt, b_fmt, 63), want, f"{m, n, k}")
        np.testing.assert_array_equal(mac_array(a, b, a_fmt, b_fmt, 7), (want + 64) % 128 - 64)


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2", "int4"])
@pytest.mark.parametrize("k", [2, 30, 64, 66, 128, 1152])
def test_packed_codes_are_codes(fmt: str, k: int, way: str) -> None:
    rng = np.random.default_rng(k)
    a, b = random_codes(rng, fmt, (11, k)), random_codes(rng, fmt, (50, k))
    for keep in (True, False):
        left, right = (Prepared(pack(x), fmt, packed=True, keep=keep) for x in (a, b))
        assert (left.shape, right.shape) == ((11, k), (50, k))
        for _ in range(2):
            np.testing.assert_array_equal(mac_array_decoded(left, right, fmt, fmt, 40), exact(a, b, fmt, fmt))


def test_the_way_is_the_one_asked_for(way: str) -> None:
    operand = Prepared(np.zeros((1, 4), np.uint8), "e2m1")
    has = simd.avx512_in_use()
    assert has == (way == "tiles" and "+avx512vnni," in get_host_cpu_features())
    assert tiles.exact_in_int32(operand, operand, 144) == has


@pytest.mark.parametrize(("fmt", "code", "longest"), [("e3m0", 7, 524287), ("int8", 0x80, 131071)])
def test_sums_up_to_31_bits_and_beyond(fmt: str, code: int, longest: int, way: str) -> None:
    """The bound on K is 2^31 - 1 by the largest product: 14913080 for E2M1, 33554431 for E1M2 and INT4."""
    square = int(decode_units(np.array([code], np.uint8), fmt)[0]) ** 2
    assert longest * square < 2**31 <= (longest + 1) * square
    for k in (longest, longest + 1):
        a = np.full((1, k), code, np.uint8)
        prepared = Prepared(a, fmt)
        assert tiles.exact_in_int32(prepared, prepared, square) == (way == "tiles" and k == longest)
        assert mac_array_decoded(prepared, prepared, fmt, fmt, 63).tolist() == [[k * square]]
        assert mac_array_decoded(prepared, prepared, fmt, fmt, 32).tolist() == [
            [(k * square + 2**31) % 2**32 - 2**31]
        ]


@pytest.mark.parametrize(("left", "right"), [*itertools.product((0x80, 0x7F, 0xFF, 0x01), repeat=2)])
def test_the_largest_bytes(left: int, right: int, way: str) -> None:
    """The offset of 128 makes 0 and 255 of -128 and 127; neither the sums nor the starts may saturate."""
    a, b = np.full((2, 40_000), left, np.uint8), np.full((3, 40_000), right, np.uint8)
    want = 40_000 * int(np.int8(left - 256 * (left > 127))) * int(np.int8(right - 256 * (right > 127)))
    assert (mac_array(a, b, "int8", "int8", 63) == want).all()


@pytest.mark.parametrize("overflow", ["saturate", "saturate-end"])
def test_saturating_registers_take_prepared_operands(overflow: str, way: str) -> None:
    rng = np.random.default_rng(31)
    a, b = random_codes(rng, "e2m1", (5, 70)), random_codes(rng, "e3m0", (6, 70))
    products = decode_units(a, "e2m1")[:, None] * decode_units(b, "e3m0")
    want = np.zeros((5, 6), np.int64)
    for k in range(70):
        want += products[:, :, k]
        want = np.clip(want, -512, 511) if overflow == "saturate" else want
    got = mac_array_decoded(Prepared(a, "e2m1"), Prepared(b, "e3m0"), "e2m1", "e3m0", 10, overflow)
    np.testing.assert_array_equal(got, np.clip(want, -512, 511))


def test_formats_beyond_eight_bits_stay_outside() -> None:
    assert [fits_bytes(FORMATS[name]) for name in ("int8", "e2m3", "uint8", "e3m2")] == [
        True,
        True,
        False,
        False,
    ]


def test_layouts_are_made_once() -> None:
    operand = Prepared(np.zeros((1, 4), np.uint8), "e2m1")
    assert operand.rows() is operand.rows()
    assert operand.panels() is operand.panels()
    assert operand.float32() is operand.float32()
    assert operand.panels().ready
    assert not Prepared(np.zeros((100, 4), np.uint8), "e2m1", keep=False).panels().ready


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.full((1, 2), 16, np.uint8), "e2m1", False), "codes holds 16: e2m1 has codes 0 to 15"),
        ((np.zeros(2, np.uint8), "e2m1", False), r"codes.shape=\(2,\): expected 2 dimensions"),
        (
            (np.zeros((1, 2), np.uint8), "int8", True),
            "fmt='int8': expected a format of 4 bits for packed codes",
        ),
        ((np.zeros((1, 2), np.uint8), "e4m3", False), "fmt='e4m3': expected an operand format"),
    ],
)
def test_bad_operands_are_named(arguments: tuple[NDArray[np.uint8], str, bool], message: str) -> None:
    codes, fmt, packed = arguments
    with pytest.raises(ValueError, match=message):
        Prepared(codes, fmt, packed=packed)


def test_an_operand_of_another_format_is_refused() -> None:
    operand = Prepared(np.zeros((1, 2), np.uint8), "e2m1")
    with pytest.raises(ValueError, match="b_fmt='e3m0': expected 'e2m1', which b was prepared for"):
        mac_array_decoded(operand, operand, "e2m1", "e3m0", 26)


def test_another_processor_compiles_its_own_and_gets_the_same_sums() -> None:
    """A process told to compile for a plain processor takes no tile, and none from numba's cache."""
    key = tiles._sums._cache._index_key(None, cpu_target.target_context.codegen())
    assert get_host_cpu_features() in key[1]
    script = (
        "import numpy as np; from fpsim.kernels.mac_array import mac_array; from fpsim.kernels import simd;"
        "x = np.arange(240, dtype=np.uint8).reshape(4, 60) % 16;"
        "print(simd.avx512_in_use(), mac_array(x, x[::-1].copy(), 'e2m1', 'e3m0', 26).tolist())"
    )
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **plain},
        capture_output=True,
        text=True,
        check=True,
    )
    x = np.arange(240, dtype=np.uint8).reshape(4, 60) % 16
    assert run.stdout.strip() == f"False {mac_array(x, x[::-1].copy(), 'e2m1', 'e3m0', 26).tolist()}"
