"""The floating accumulator in the configuration: what it means, what it refuses, and that old keys stay."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.formats import get


@pytest.mark.parametrize(
    ("float_acc", "name"),
    [
        (FloatAccumulator(), "fp32"),
        (FloatAccumulator(8, 7), "bf16"),
        (FloatAccumulator(5, 10), "fp16"),
        (FloatAccumulator(5, 2), "e5m2"),
        (FloatAccumulator(4, 3, "nan", overflow="saturate"), "e4m3"),
        (FloatAccumulator(2, 1, "none", overflow="saturate"), "e2m1"),
    ],
)
def test_well_known_formats_come_out_of_their_sizes(float_acc: FloatAccumulator, name: str) -> None:
    known = get(name)
    own = float_acc.fmt
    assert (own.bias, own.max_magnitude_code, own.max_value) == (
        known.bias,
        known.max_magnitude_code,
        known.max_value,
    )
    assert own.value(1) == known.value(1)
    assert float_acc.accumulator.fmt == own
    assert float_acc.accumulator.fused


def test_rtl_parameters_number_the_names_in_their_order() -> None:
    float_acc = FloatAccumulator(6, 5, "ieee", "stochastic", "inf", 7)
    assert float_acc.fmt.max_value == Fraction(2) ** 31 * Fraction(63, 32)
    assert float_acc.rtl_parameters() == {
        "ExpW": 6,
        "ManW": 5,
        "Specials": 2,
        "Rounding": 5,
        "Overflow": 1,
        "RandomW": 7,
    }


def test_the_default_is_left_out_of_keys_and_manifests() -> None:
    assert "float_acc" not in ArrayConfig().to_dict()["unit"]
    other = ArrayConfig(unit=UnitConfig(float_acc=FloatAccumulator(8, 7)))
    assert other.key() != ArrayConfig().key()
    assert ArrayConfig.from_dict(other.to_dict()) == other


@pytest.mark.parametrize(
    "float_acc", [FloatAccumulator(), FloatAccumulator(3, 2, "none", "stochastic", "saturate", 4)]
)
def test_its_text_is_read_back(float_acc: FloatAccumulator) -> None:
    assert FloatAccumulator.parse(str(float_acc)) == float_acc


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FloatAccumulator(exp_bits=1), "exp_bits=1: expected an integer from 2 to 8"),
        (lambda: FloatAccumulator(man_bits=0), "man_bits=0: expected an integer from 1 to 23"),
        (lambda: FloatAccumulator(man_bits=True), "man_bits=True"),
        (lambda: FloatAccumulator(random_bits=1), "random_bits=1: expected an integer from 0 to 0"),
        (
            lambda: FloatAccumulator(rounding="stochastic"),
            "random_bits=0: expected an integer from 1 to 32",
        ),
        (lambda: FloatAccumulator(rounding="up"), "rounding='up': expected one of 'rne', 'rna'"),  # type: ignore[arg-type]
        (lambda: FloatAccumulator(overflow="wrap"), "overflow='wrap': expected one of 'ieee', 'inf'"),
        (lambda: FloatAccumulator(4, 3, "nan"), "overflow='ieee': e4m3 has no infinity"),
        (
            lambda: FloatAccumulator(specials="none", overflow="saturate"),
            "expected a format whose values float32 holds",
        ),
        (lambda: FloatAccumulator.parse("fp32"), "float_acc='fp32': expected a form like e5m10:ieee:rne"),
        (lambda: FloatAccumulator.parse("e5mx:ieee:rne:ieee:0"), "expected a form like"),
    ],
)
def test_others_are_refused(make: Callable[[], FloatAccumulator], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
