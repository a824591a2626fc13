"""Formats against the tables of their standards."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from fpsim.formats import FORMATS, NAN, NEG_INF, POS_INF, Format, get

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("e2m1", [0, 0.5, 1, 1.5, 2, 3, 4, 6]),  # OCP MX v1.0, table of FP4
        ("e3m0", [0, 1, 2, 4, 8, 16, 32, 64]),  # integer units, numerics.md section 1
        ("e1m2", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_four_bit_floats_are_the_standard_grids_with_a_sign(name: str, values: list[float]) -> None:
    spec = get(name)
    assert [spec.value(code) for code in range(8)] == values
    assert [spec.value(code) for code in range(8, 16)] == [-v for v in values]


@pytest.mark.parametrize(
    ("name", "largest", "smallest", "specials"),
    [
        ("e2m3", 7.5, 0.125, {}),  # OCP MX v1.0, section 5.3
        ("e3m2", 28, 0.0625, {}),
        ("e4m3", 448, 2.0**-9, {0x7F: NAN, 0xFF: NAN}),  # OCP FP8 v1.0, table 1
        ("e5m2", 57344, 2.0**-16, {0x7C: POS_INF, 0xFC: NEG_INF, 0x7D: NAN, 0x7F: NAN}),
        ("ue4m3", 448, 2.0**-9, {0x7F: NAN}),
        ("e8m0", 2.0**127, 2.0**-127, {0xFF: NAN}),
        ("fp16", 65504, 2.0**-24, {0x7C00: POS_INF, 0xFC00: NEG_INF, 0x7E00: NAN}),
    ],
)
def test_ranges_and_specials(name: str, largest: float, smallest: float, specials: dict[int, str]) -> None:
    spec = get(name)
    assert (spec.max_value, spec.step) == (Fraction(largest), Fraction(smallest))
    assert all(spec.value(code) == special for code, special in specials.items())


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("e2m1", ml_dtypes.float4_e2m1fn),
        ("e2m3", ml_dtypes.float6_e2m3fn),
        ("e3m2", ml_dtypes.float6_e3m2fn),
        ("e4m3", ml_dtypes.float8_e4m3fn),
        ("e5m2", ml_dtypes.float8_e5m2),
        ("e8m0", ml_dtypes.float8_e8m0fnu),
        ("bf16", ml_dtypes.bfloat16),
        ("fp16", np.float16),
    ],
)
def test_every_code_means_what_ml_dtypes_says(name: str, peer: type) -> None:
    spec = get(name)
    codes = np.arange(spec.n_codes, dtype=np.uint16 if spec.bits > 8 else np.uint8)
    with np.errstate(invalid="ignore"):
        values = codes.view(peer).astype(np.float64)
    compared = 0
    for code, value in zip(codes.tolist(), values.tolist(), strict=True):
        ours = spec.value(code)
        assert (ours == NAN) if np.isnan(value) else (float(ours) == value)  # float("+inf") is inf
        compared += 1
    assert compared == 2**spec.bits


def test_integers_are_twos_complement() -> None:
    assert [get("int4").value(code) for code in (0, 7, 8, 15)] == [0, 7, -8, -1]
    assert [get("uint4").value(code) for code in (0, 15)] == [0, 15]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name=''"),
        ({"exp_bits": 0}, "exp_bits=0: expected 1 to 8"),
        ({"man_bits": 24}, "man_bits=24: expected 0 to 23"),
        ({"kind": "posit"}, "kind='posit': expected one of float, int, exponent"),
        ({"specials": "some"}, "specials='some': expected one of none, nan, ieee"),
        ({"kind": "int"}, "kind='int': expected exp_bits=0"),
        ({"kind": "exponent"}, "kind='exponent': expected signed=False"),
        ({"specials": "ieee", "man_bits": 0}, "specials='ieee': expected at least 1 stored"),
    ],
)
def test_impossible_formats_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Format(**{"name": "x", "exp_bits": 3, "man_bits": 1, **fields})  # type: ignore[arg-type]


def test_names_are_found_in_any_case_and_unknown_ones_listed() -> None:
    assert get("E2M1") is FORMATS["e2m1"] is get(FORMATS["e2m1"])
    with pytest.raises(ValueError, match="format='posit8': expected one of e2m1, e3m0"):
        get("posit8")
    with pytest.raises(ValueError, match="code=16: e2m1 has codes 0 to 15"):
        get("e2m1").value(16)


def test_the_readmes_table_lists_every_format_as_it_is() -> None:
    rows = {
        cells[0]: cells[1:]
        for line in README.read_text(encoding="utf-8").splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 7 and cells[0] in FORMATS
    }
    assert sorted(rows) == sorted(FORMATS)
    for name, (bits, bias, largest, smallest, _, source) in rows.items():
        spec = get(name)
        assert bits.split()[0] == str(spec.bits)
        assert bias == ("–" if spec.kind == "int" else str(spec.bias))
        assert _number(largest) == spec.max_value
        assert _number(smallest) == spec.step
        assert source == spec.source


def _number(text: str) -> Fraction:
    """A number as the table writes it: 448, 0.5, 2^-9, or (2 − 2^-7)·2^127."""
    if match := re.fullmatch(r"\(2 − 2\^(-\d+)\)·2\^(\d+)", text):
        return (2 - Fraction(2) ** int(match[1])) * Fraction(2) ** int(match[2])
    if match := re.fullmatch(r"2\^(-?\d+)", text):
        return Fraction(2) ** int(match[1])
    return Fraction(text)
