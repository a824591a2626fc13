"""Every format and rounding on every float32 next to every boundary, and on all FP16 and BF16 patterns.

Two oracles nobody here wrote, gfloat and ml_dtypes, where they have the format; and for every format a search
of its values in float64, which holds them, their midpoints and all inputs exactly.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import gfloat
import ml_dtypes
import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format, get
from fpsim.kernels.cast import encode
from tests.kernels.reference import boundaries, finite_values, held_by, neighbours
from tests.kernels.test_cast_modes import GFLOAT, MODES
from tests.kernels.test_cast_nearest import OUTSIDE, saturated

Values = NDArray[np.float64]
SEARCHED = [name for name in FORMATS if name != "fp32"]  # float32 to fp32 has nothing to round
FP16_CASES, BF16_CASES = 65536 - 2 * 1023, 65536 - 2 * 127  # all patterns but the NaNs
# Non-negative finite values of each format, by its bits.
COUNTS = {
    "e2m1": 8, "e3m0": 8, "e1m2": 8, "e2m3": 32, "e3m2": 32, "e4m3": 127, "e5m2": 31 * 4, "ue4m3": 127,
    "e8m0": 255, "bf16": 255 * 128, "fp16": 31 * 1024, "tf32": 255 * 1024, "int4": 8, "int6": 32,
    "int8": 128, "uint4": 16, "uint8": 256,
}  # fmt: skip
# Numbers of float32 that would lie beyond its range, of the three points above the largest value.
BEYOND = {"e8m0": 6, "bf16": 12, "tf32": 12}


@cache
def inputs(name: str) -> dict[str, NDArray[Any]]:
    """The three lists, by name; the boundaries' neighbours as float32."""
    fp16 = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    bf16 = (np.arange(1 << 16, dtype=np.uint32) << 16).view(np.float32)
    beside = neighbours(held_by(boundaries(get(name)), np.float32), np.float32)
    lists = {"fp16": fp16, "bf16": bf16, "neighbours": beside[np.isfinite(beside)]}
    return {source: x[~np.isnan(x)] for source, x in lists.items()}


def counted(name: str) -> int:
    """Values, midpoints and three points above the largest value: each with two neighbours, in two signs."""
    points = COUNTS[name] + (COUNTS[name] - 1) + 3
    return FP16_CASES + BF16_CASES + 6 * points - BEYOND.get(name, 0)


class Search:
    """Codes by a search of a format's values; x is exact in float64."""

    def __init__(self, fmt: Format, x: NDArray[Any], torch_tie: bool = False) -> None:
        self.fmt, self.torch_tie = fmt, torch_tie
        wide = x.astype(np.float64)
        self.negative = np.signbit(wide)
        table = np.array([float(value) for value, _ in finite_values(fmt)])
        if fmt.kind == "int" and fmt.signed:
            table = np.append(table, table[-1] + 1)  # -8 has no positive partner
        largest = np.where(self.negative & fmt.signed, table[-1], float(fmt.max_value))
        magnitude = np.clip(np.abs(wide), table[0], largest)
        if not fmt.signed:
            magnitude[self.negative] = table[0]
        self.code = np.searchsorted(table, magnitude, side="right") - 1
        low, high = table[self.code], np.append(table, np.inf)[self.code + 1]
        self.way, self.gap = magnitude - low, high - low

    def codes(self, rounding: str, random: tuple[NDArray[np.int64], int] | None = None) -> NDArray[np.int64]:
        above = self.way - self.gap / 2
        away = self.way > 0
        tie_up = (self.code >= 1) if self.torch_tie else (self.code % 2 == 1) | (self.fmt.kind == "exponent")
        if random is not None:
            up = np.floor(self.way / self.gap * 2.0 ** random[1]) + random[0] >= 1 << random[1]
        else:
            up = {
                "rne": (above > 0) | ((above == 0) & tie_up),
                "rna": above >= 0,
                "rtz": np.zeros(away.shape, bool),
                "rup": away & ~self.negative,
                "rdn": away & self.negative,
            }[rounding]
        code = self.code + up
        if self.fmt.kind == "int":
            return np.where(self.negative, -code, code) & (self.fmt.n_codes - 1)
        return code | np.where(self.negative & self.fmt.signed, self.fmt.magnitude_mask + 1, 0)


@pytest.mark.parametrize("name", SEARCHED)
def test_every_format_equals_a_search_of_its_values(name: str) -> None:
    cases = 0
    for x in inputs(name).values():
        for rounding in MODES:
            torch_tie = name == "e3m0" and rounding == "rne"
            want = Search(get(name), x, torch_tie).codes(rounding)
            np.testing.assert_array_equal(encode(x, name, rounding=rounding), want)  # type: ignore[arg-type]
            cases += x.size
    assert cases == 5 * counted(name)


def test_e3m0_by_code_equals_a_search() -> None:
    cases = 0
    for x in inputs("e3m0").values():
        want = Search(get("e3m0"), x).codes("rne")
        np.testing.assert_array_equal(encode(x, "e3m0", e3m0_tie="code_even"), want)
        cases += x.size
    assert cases == counted("e3m0")


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("count", [1, 4, 16])
def test_stochastic_equals_a_search_with_the_same_random_bits(name: str, count: int) -> None:
    cases = 0
    rng = np.random.default_rng(count)
    for x in inputs(name).values():
        x = x[np.isfinite(x)]
        random = (rng.integers(0, 1 << count, x.size), count)
        got = encode(x, name, rounding="stochastic", random_bits=random)
        np.testing.assert_array_equal(got, Search(get(name), x).codes("stochastic", random))
        cases += x.size
    assert cases == counted(name) - 2 - 2


@pytest.mark.parametrize("name", GFLOAT)
@pytest.mark.parametrize("rounding", MODES)
def test_gfloats_formats_equal_gfloat(name: str, rounding: Any) -> None:
    info, cases = GFLOAT[name], 0
    for x in inputs(name).values():
        rounded = gfloat.round_ndarray(info, x.astype(np.float64), MODES[rounding], sat=True)
        want = gfloat.encode_ndarray(info, rounded)
        np.testing.assert_array_equal(encode(x, name, rounding=rounding), want)
        cases += x.size
    assert cases == counted(name)


@pytest.mark.parametrize("name", OUTSIDE)
def test_ml_dtypes_formats_equal_ml_dtypes(name: str) -> None:
    cases = 0
    for x in inputs(name).values():
        wide = x.astype(np.float32)
        np.testing.assert_array_equal(encode(x, name), saturated(wide, name))
        cases += x.size
    assert cases == counted(name)


def test_integers_of_a_scale_equal_gfloats_fixed_point() -> None:
    """OCP MX INT8 counts in 1/64: our int8 scaled."""
    ours, info = get("int8").scaled(1 / 64), gfloat.formats.format_info_ocp_int8
    x = np.concatenate([inputs("int8")["neighbours"] / 64, inputs("int8")["bf16"], inputs("int8")["fp16"]])
    for rounding, mode in MODES.items():
        want = gfloat.encode_ndarray(info, gfloat.round_ndarray(info, x.astype(np.float64), mode, sat=True))
        np.testing.assert_array_equal(encode(x, ours, rounding=rounding), want)  # type: ignore[arg-type]
    assert x.size == counted("int8")


def test_e8m0_equals_ml_dtypes_on_every_normal_float32_next_to_a_boundary() -> None:
    x = np.concatenate(
        [inputs("e8m0")[source].astype(np.float32) for source in ("neighbours", "bf16", "fp16")]
    )
    x = x[(x >= 2.0**-126) & (x <= 2.0**127)]
    want = x.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    np.testing.assert_array_equal(encode(x, "e8m0"), want)
    assert x.size > 60_000
