"""Descriptions of accumulators: what is legal, what is refused by name, and the presets."""

from __future__ import annotations

from typing import Any

import pytest

from fpsim.formats import PRESETS, Accumulator, Format, get, get_accumulator


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Accumulator("sum"), "kind='sum': expected one of 'exact', 'sequential'"),  # type: ignore[arg-type]
        (lambda: Accumulator.exact(64), "bits=64: expected an integer from 2 to 63"),
        (lambda: Accumulator.exact(8, "inf"), "overflow='inf': expected one of 'wrap'"),
        (lambda: Accumulator.sequential("int8"), "fmt=.*expected a signed float format"),
        (lambda: Accumulator.sequential("ue4m3"), "expected a signed float format"),
        (lambda: Accumulator.sequential("fp16", "up"), "rounding='up': expected one of 'rne'"),  # type: ignore[arg-type]
        (
            lambda: Accumulator.aligned(fraction_bits=9, step=8, rounding="stochastic"),
            "rounding='stochastic': expected one of 'rne', 'rna', 'rtz', 'rup', 'rdn'",
        ),
        (lambda: Accumulator.sequential("e4m3", overflow="ieee"), "e4m3 has no infinity"),
        (lambda: Accumulator.sequential(Format("far", 8, 3, bias=200)), "whose values float32 holds"),
        (lambda: Accumulator.sequential("fp16", scale="fp32", block=16), "expected e8m0, ue4m3 or None"),
        (lambda: Accumulator.sequential("fp16", scale="e8m0"), "block=0: expected an integer from 1"),
        (lambda: Accumulator.sequential("fp16", block=16), "block=16: expected an integer from 0 to 0"),
        (lambda: Accumulator.tree("fp16", 6), "step=6: expected a power of two"),
        (lambda: Accumulator.exact_plus_c(step=-1), "step=-1: expected an integer from 0"),
        (lambda: Accumulator.aligned(fraction_bits=60, step=4), "fraction_bits=60: expected"),
        (lambda: Accumulator.aligned(fraction_bits=20, step=4, group=3), "group=3: expected a divisor"),
        (lambda: Accumulator.aligned(fraction_bits=20, step=4, c_inside=False), "expected integer_bits of 1"),
        (lambda: Accumulator.aligned(fraction_bits=20, step=4, integer_bits=3), "integer_bits=3: expected"),
        (
            lambda: Accumulator.aligned(fraction_bits=9, step=8, group=8, scale="e8m0", block=4),
            "block=4: expected a multiple of group=8",
        ),
        (lambda: Accumulator("exact", 8, fmt=get("fp16")), "fmt=.*not a property of 'exact'"),
        (lambda: Accumulator("sequential", 8, "ieee", get("fp16")), "bits=8: not a property"),
        (lambda: get_accumulator("rtx"), "acc='rtx': expected an Accumulator.*rtx-blackwell-nvfp4"),
        (lambda: get_accumulator(32), "acc=32: expected an Accumulator"),  # type: ignore[arg-type]
    ],
)
def test_an_illegal_description_is_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_equal_descriptions_are_equal_and_can_be_keys() -> None:
    assert Accumulator.exact(32) == Accumulator("exact", 32, "wrap")
    assert len({Accumulator.sequential("FP16"), Accumulator.sequential(get("fp16"))}) == 1
    assert Accumulator.sequential("bf16").overflow == "ieee"
    assert Accumulator.sequential("e4m3").overflow == "saturate"


def test_roundings_are_counted() -> None:
    counts = {
        5: Accumulator.sequential("fp16"),
        10: Accumulator.tree("fp16", 4, fused=False),  # 4 products, 3 adders, 1 sum; 1 product, 1 sum
        1: Accumulator.exact_plus_c("fp16"),
        3: Accumulator.exact_plus_c("fp16", step=2),
        0: Accumulator.exact(32),
    }
    for count, acc in counts.items():
        assert acc.roundings(5) == count
        assert acc.roundings(0) == 0


def test_presets_have_the_published_windows() -> None:
    # numerics of the tensor cores as published with mmasim: fractional bits by generation.
    widths = {"volta": 23, "turing": 24, "ampere": 24, "ada": 24, "hopper": 25, "blackwell": 25}
    for name, width in widths.items():
        assert PRESETS[f"{name}-f16"].fraction_bits == width
    assert {PRESETS[f"{name}-f8"].fraction_bits for name in ("ada", "hopper")} == {13}
    nvfp4 = PRESETS["rtx-blackwell-nvfp4"]
    assert (nvfp4.fraction_bits, nvfp4.step, nvfp4.group, nvfp4.zero_exponent) == (35, 64, 16, -139)
    assert (nvfp4.scale, nvfp4.block) == (get("ue4m3"), 16)
    assert get_accumulator("mxdotp-exact") is PRESETS["mxdotp-exact"]
