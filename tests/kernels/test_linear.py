"""The product and the epilogue in one pass equal the two, one after the other, and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.kernels import tiles
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.linear import linear
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.prepared import Prepared
from tests.kernels.reference import fp16_round, tf32_value


def scales(
    rng: np.random.Generator, m: int, n: int, fields: tuple[int, int], bias_fields: tuple[int, int] = (0, 31)
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]:
    """Row and column scales of exponent fields in a range, biases of others, zeros among them."""
    row, col = ((rng.integers(*fields, s) << 10 | rng.integers(0, 1024, s)).astype(np.uint32) for s in (m, n))
    bias = rng.integers(bias_fields[0] << 10, bias_fields[1] << 10, n) | rng.integers(0, 2, n) << 15
    row[rng.random(m) < 0.1] = 0
    bias[rng.random(n) < 0.2] = 0x8000
    return row, col, bias.astype(np.uint16)


@pytest.mark.parametrize("fields", [(96, 128), (110, 122), (118, 140), (1, 255), (90, 110)])
@pytest.mark.parametrize("bits", [9, 26, 31, 32, 40])
def test_one_pass_equals_the_two(fields: tuple[int, int], bits: int) -> None:
    rng = np.random.default_rng([bits, *fields])
    for m, n, k in ((1, 1, 7), (9, 50, 600), (40, 96, 64), (0, 3, 4), (3, 0, 4)):
        a, b = (rng.integers(0, 256, (rows, k), dtype=np.uint8) for rows in (m, n))
        three = scales(rng, m, n, fields)
        want = epilogue(mac_array(a, b, "int8", "int8", bits), *three)
        for keep in (True, False):
            got = linear(Prepared(a, "int8"), Prepared(b, "int8", keep=keep), bits, *three)
            np.testing.assert_array_equal(got, want)


def test_every_kind_of_midpoint_and_its_neighbours() -> None:
    """Consecutive integers times powers of two: ties of FP16, subnormal ones too, against fractions."""
    a = np.ones((1, 256), np.uint8)
    b = np.zeros((300, 256), np.uint8)
    for n in range(
        300
    ):  # row n sums to 127 · 16 + n - 150: past 2048, where every other integer is a midpoint
        b[n, :16] = 127
        b[n, 16 : 16 + abs(n - 150)] = 1 if n >= 150 else 255
    rows = np.array([1], np.uint32)
    checked = 0
    for field in (1, 97, 102, 103, 104, 112, 113, 127, 130, 131, 132, 140):
        for added in (0, 0x8000, 0x0001, 0x8001, 0x3C00, 0xE800, 0x7BFF, 0xFBFF):
            rows[0] = 127 << 10
            col, bias = np.full(300, field << 10, np.uint32), np.full(300, added, np.uint16)
            got = linear(Prepared(a, "int8"), Prepared(b, "int8"), 26, rows, col, bias)
            offset = Fraction(float(bias[:1].view(np.float16)[0]))
            want = [fp16_round((2032 + n - 150) * tf32_value(int(col[0])) + offset) for n in range(300)]
            assert got[0].tolist() == want, f"2^{field - 127} + {added:#06x}"
            checked += len(want)
    assert checked == 12 * 8 * 300


@pytest.mark.parametrize(("field", "exact"), [(60, False), (94, False), (95, True), (96, True), (130, True)])
def test_small_scales_beside_a_bias_leave_the_float64_path(field: int, exact: bool) -> None:
    """Row scale 1: e = field - 137 - 10. A bias below 1 needs 0 <= 52 + e."""
    rng = np.random.default_rng(field)
    row, col = np.full(4, 127 << 10, np.uint32), (field << 10 | rng.integers(0, 1024, 50)).astype(np.uint32)
    bias = np.full(50, 0x3BFF, np.uint16)
    assert tiles.Scaling(row, col, bias).exact == exact == (52 + (127 - 137) + (field - 137) >= 0)
    a, b = (rng.integers(0, 256, (rows, 80), dtype=np.uint8) for rows in (4, 50))
    got = linear(Prepared(a, "int8"), Prepared(b, "int8"), 26, row, col, bias)
    sums = mac_array(a, b, "int8", "int8", 26)
    want = [
        [
            fp16_round(int(s) * tf32_value(int(c)) + Fraction(2047, 2048))
            for s, c in zip(line, col, strict=True)
        ]
        for line in sums
    ]
    assert got.tolist() == want


def test_without_tiles_the_bits_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(33)
    a, b = (rng.integers(0, 16, (rows, 96), dtype=np.uint8) for rows in (33, 75))
    three = scales(rng, 33, 75, (100, 130))
    results = []
    for setting in ("1", "0"):
        monkeypatch.setenv("FPSIM_AVX512", setting)
        results.append(linear(Prepared(a, "e2m1"), Prepared(b, "e3m0"), 26, *three))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (2, 1, "acc_bits=1: expected an integer from 2 to 63"),
        (3, np.zeros(3, np.uint32), r"row_scale.shape=\(3,\): expected \(2,\), one scale per row"),
        (4, np.zeros(3, np.uint32), "col_scale holds 0: expected values from 1024"),
        (5, np.full(3, 0x7C00, np.uint16), "bias magnitude holds 31744"),
        (1, Prepared(np.zeros((3, 5), np.uint8), "e2m1"), r"b.shape=\(3, 5\): expected \(N, 4\)"),
    ],
)
def test_bad_arguments_are_named(position: int, value: object, message: str) -> None:
    one = 127 << 10
    arguments: list[object] = [
        *(Prepared(np.zeros((rows, 4), np.uint8), "e2m1") for rows in (2, 3)),
        26,
        np.full(2, one, np.uint32),
        np.full(3, one, np.uint32),
        np.zeros(3, np.uint16),
    ]
    arguments[position] = value
    with pytest.raises(ValueError, match=message):
        linear(*arguments)  # type: ignore[arg-type]
