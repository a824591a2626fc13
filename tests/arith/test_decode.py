"""Operands against the value tables of OCP MX and of LLM-FP4, and against ml_dtypes."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from fpsim.arith.decode import Operand, decode
from fpsim.formats import Format

from .tables import OPERAND_VALUES, OPERANDS

# (significand, shift) of magnitude codes 0 to 7: rtl/README.md, "decode".
FIELDS = {
    "e2m1": ((0, 0), (1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (2, 2), (3, 2)),
    "e3m0": ((0, 0), (1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6)),
    "e1m2": ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)),
}


def test_every_code_has_its_tabled_value() -> None:
    cases = [(fmt, code) for fmt in OPERANDS for code in range(16)]
    for fmt, code in cases:
        assert decode(code, fmt).value == OPERAND_VALUES[fmt][code], f"{fmt} code {code}"
    assert len(cases) == 64


def test_every_float_code_has_its_fields() -> None:
    cases = [(fmt, code) for fmt in FIELDS for code in range(16)]
    for fmt, code in cases:
        expected = Operand(code >= 8, *FIELDS[fmt][code % 8])
        assert decode(code, fmt) == expected, f"{fmt} code {code}"
    assert len(cases) == 48


def test_a_low_nibble_is_unsigned_and_int4s_alone() -> None:
    """Values of ml_dtypes' uint4."""
    codes = np.arange(16, dtype=np.uint8)
    for code, value in zip(codes.tolist(), codes.astype(ml_dtypes.uint4).astype(int).tolist(), strict=True):
        assert decode(code, "int4", low=True) == Operand(False, value, 0)
    for fmt in ("e2m1", "e3m0", "e1m2"):
        with pytest.raises(ValueError, match=f"low=True: {fmt} has no low nibble, expected int4"):
            decode(3, fmt, low=True)


def test_int4_is_sign_and_magnitude_up_to_8() -> None:
    magnitudes = (0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3, 2, 1)
    for code, magnitude in enumerate(magnitudes):
        assert decode(code, "int4") == Operand(code >= 8, magnitude, 0), f"code {code}"


@pytest.mark.parametrize("fmt", ["e2m1", "e3m0", "e1m2"])
def test_minus_zero_keeps_its_sign(fmt: str) -> None:
    assert decode(8, fmt) == Operand(True, 0, 0)


def test_e2m1_and_int4_agree_with_ml_dtypes() -> None:
    codes = np.arange(16, dtype=np.uint8)
    e2m1 = codes.view(ml_dtypes.float4_e2m1fn).astype(np.float64) * 2
    assert [decode(int(code), "e2m1").value for code in codes] == e2m1.tolist()
    int4 = codes.view(ml_dtypes.int4).astype(np.int64)
    assert [decode(int(code), "int4").value for code in codes] == int4.tolist()


def test_a_format_object_is_as_good_as_its_name() -> None:
    assert decode(5, Format("my-fp4", 2, 1, bias=9)).value == 6


@pytest.mark.parametrize(
    ("code", "fmt", "message"),
    [
        (16, "e2m1", "code=16: e2m1 has codes 0 to 15"),
        (-1, "int4", "code=-1: int4 has codes 0 to 15"),
        (0, "e4m3", "fmt='e4m3': expected e2m1, e3m0, e1m2 or int4"),
        (0, "uint4", "fmt='uint4': expected e2m1, e3m0, e1m2 or int4"),
        (0, "fp5", "format='fp5': expected one of"),
    ],
)
def test_other_arguments_are_refused(code: int, fmt: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode(code, fmt)
