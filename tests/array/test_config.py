"""The one configuration object: it validates itself, and everything else derives from it."""

from __future__ import annotations

import pytest

from fpsim.array.config import OPERAND_FORMATS, WIDE_FORMATS, ArrayConfig, UnitConfig
from fpsim.formats import get


def test_widths_follow_from_the_parameters() -> None:
    unit = UnitConfig(guard_bits=4, hadamard_n=32)
    assert (unit.align_bits, unit.hadamard_stages, unit.rotated_bits) == (16, 5, 21)


def test_rtl_parameters_are_the_configuration() -> None:
    config = ArrayConfig(rows=2, cols=3, unit=UnitConfig(("e2m1", "int4"), 20, 2, 8))
    assert config.rtl_parameters() == {
        "Rows": 2,
        "Cols": 3,
        "Formats": 0b1001,
        "AccW": 20,
        "GuardBits": 2,
        "HadamardN": 8,
        "Saturate": 0,
        "Overlap": 1,
        "ProductCut": 0,
        "HadamardCut": 1,
    }
    assert ArrayConfig(unit=UnitConfig(overlap=False)).rtl_parameters()["Overlap"] == 0
    assert ArrayConfig(unit=UnitConfig(overflow="saturate")).rtl_parameters()["Saturate"] == 1


def test_pipeline_cuts_are_parameters_and_old_keys_stay() -> None:
    unit = UnitConfig(hadamard_n=32, product_cut=True, hadamard_cut=2)
    config = ArrayConfig(unit=unit)
    assert (config.rtl_parameters()["ProductCut"], config.rtl_parameters()["HadamardCut"]) == (1, 2)
    assert [UnitConfig(hadamard_n=32, hadamard_cut=cut).hadamard_registers for cut in (1, 2, 3, 4, 5)] == [
        5, 3, 2, 2, 1,
    ]  # fmt: skip
    assert ArrayConfig.from_dict(config.to_dict()) == config
    assert set(config.to_dict()["unit"]) - set(ArrayConfig().to_dict()["unit"]) == {
        "product_cut",
        "hadamard_cut",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hadamard_cut": 0}, "hadamard_cut=0: expected an integer from 1 to 5"),
        ({"hadamard_cut": 6}, "hadamard_cut=6: expected an integer from 1 to 5"),
        ({"product_cut": 1}, "product_cut=1: expected True or False"),
    ],
)
def test_a_cut_that_cannot_be_is_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UnitConfig(**arguments)  # type: ignore[arg-type]


def test_twenty_six_bits_hold_every_mix_at_k_4608_and_twenty_five_do_not() -> None:
    """methods.md section 6: E3M0 x E3M0, magnitude 64·64 units, K = 4608."""
    largest = max(int(get(f).max_value / get(f).step) for f in OPERAND_FORMATS) ** 2 * 4608
    assert largest == 4096 * 4608
    assert largest <= 2 ** (UnitConfig().acc_bits - 1) - 1
    assert largest > 2 ** (25 - 1) - 1


def test_wide_integers_come_with_int4() -> None:
    unit = UnitConfig(formats=("e2m1", "int4"))
    assert [unit.operand_format(name).bits for name in WIDE_FORMATS] == [6, 8]


def test_twenty_eight_bits_hold_int8_at_k_4608_and_twenty_seven_do_not() -> None:
    """The largest magnitude of a sum is 4608 · (-128) · (-128), just above 2^26."""
    largest = 4608 * 128 * 128
    assert 2 ** (27 - 1) - 1 < largest <= 2 ** (28 - 1) - 1


def test_dict_round_trip_and_key() -> None:
    config = ArrayConfig(rows=4, unit=UnitConfig(formats=("e2m1",)))
    assert ArrayConfig.from_dict(config.to_dict()) == config
    assert config.key() == ArrayConfig.from_dict(config.to_dict()).key()
    assert config.key() != ArrayConfig(rows=5, unit=config.unit).key()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ArrayConfig(rows=0), r"rows=0: expected an integer from 1 to 64"),
        (lambda: ArrayConfig(cols=65), r"cols=65"),
        (lambda: ArrayConfig(rows=True), r"rows=True"),
        (lambda: UnitConfig(formats=()), r"formats=\(\)"),
        (lambda: UnitConfig(formats=("e2m1", "e2m1")), r"distinct"),
        (lambda: UnitConfig(formats=("e4m3",)), r"e4m3.*expected distinct names out of e2m1, e3m0"),
        (lambda: UnitConfig(hadamard_n=24), r"hadamard_n=24: expected a power of two"),
        (lambda: UnitConfig(acc_bits=8), r"acc_bits=8: expected an integer from 9 to 40"),
        (lambda: UnitConfig(guard_bits=9), r"guard_bits=9"),
        (lambda: UnitConfig(overlap=0), r"overlap=0: expected True or False"),  # type: ignore[arg-type]
        (lambda: UnitConfig(overflow="saturate-end"), r"'saturate-end': expected one of 'wrap', 'saturate'"),
        (lambda: ArrayConfig.from_dict({"rows": 2}), r"unit"),
        (lambda: ArrayConfig.from_dict({"rows": 2, "colums": 3, "unit": UnitConfig().__dict__}), r"colums"),
        (lambda: UnitConfig(formats=("e2m1",)).operand_format("int4"), r"built with e2m1$"),
        (lambda: UnitConfig(formats=("e2m1",)).operand_format("int8"), r"format='int8': .* built with e2m1$"),
        (lambda: UnitConfig().operand_format("uint8"), r"e2m1, e3m0, e1m2, int4, int6, int8"),
        (lambda: UnitConfig(overflow="saturate").operand_format("int8"), r"e2m1, e3m0, e1m2, int4$"),
    ],
)
def test_illegal_values_are_named(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        make()
