"""Layouts, checks and cycles of the whole accelerator, by hand; its RTL is measured in tests/rtl."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.top import (
    Error,
    Register,
    Setup,
    TopConfig,
    check,
    row_beats,
    sign_words,
    weight_beats,
)
from fpsim.array.top_cycles import row_cycles, tiles_cycles, top_cycles
from fpsim.array.top_results import ResultBeat, result_beats

CONFIG = TopConfig(ArrayConfig(2, 3, UnitConfig(("e2m1", "int4"), hadamard_n=4)), 32)
GOOD = Setup(2, 3, 8, a_fmt=0, b_fmt=3, rotate=True, static=True, exp=15, amp=1024)


def program(**changes: object) -> LayerProgram:
    """Two channels of three inputs: codes 1 2 3 and 4 5 6."""
    fields: dict[str, object] = {
        "name": "layer",
        "act_fmt": "e2m1",
        "weight_fmt": "int4",
        "weight_codes": np.array([[1, 2, 3], [4, 5, 6]], np.uint8),
        "col_scale": np.array([0x1FC00, 0x1FC01], np.uint32),
        "bias": np.array([0x3C00, 0xBC00], np.uint16),
    }
    return LayerProgram(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_row_is_padded_to_whole_beats_with_what_does_not_count() -> None:
    assert row_beats(CONFIG, [1, 2, 3, 4, 5]) == [0x0004_0003_0002_0001, 5]
    assert row_beats(CONFIG, [1, 2, 3], padding=0xFFFF) == [0xFFFF_0003_0002_0001]


def test_a_tile_of_weights_is_its_columns_and_then_its_codes() -> None:
    heads = [0x3C00_01FC00, 0xBC00_01FC01, 0]
    assert weight_beats(CONFIG, program(), 0) == [*heads, 0x41, 0x52, 0x63]


def test_bits_of_weights_that_do_not_count_are_free() -> None:
    ones = (1 << CONFIG.weight_beat_bits) - 1
    assert CONFIG.weight_beat_bits == 40
    beats = weight_beats(CONFIG, program(), 0, [ones] * 6)
    assert beats == [0x3C00_F9FC00, 0xBC00_F9FC01, ones, 0xFFFFFFFF41, 0xFFFFFFFF52, 0xFFFFFFFF63]


def test_results_come_tile_by_tile_without_padding_rows() -> None:
    y = [[10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]]
    assert result_beats(CONFIG, y) == [
        ResultBeat(0x000C_000B_000A, 0b111111, False),
        ResultBeat(0x0016_0015_0014, 0b111111, True),
        ResultBeat(0x000D, 0b000011, False),
        ResultBeat(0x0017, 0b000011, True),
        ResultBeat(0x0020_001F_001E, 0b111111, True),
        ResultBeat(0x0021, 0b000011, True),
    ]


@pytest.mark.parametrize(
    ("n", "word"),
    [(None, 0), (4, 0), (16, 4), (48, 1 << 8), (96, 2 | 1 << 8), (144, 2 << 8), (288, 2 | 2 << 8)],
)
def test_blocks_of_a_rotation_have_a_register(n: int | None, word: int) -> None:
    k = 576
    layer = program(weight_codes=np.zeros((2, k), np.uint8), signs=np.ones(k, np.int8), hadamard_n=n)
    blocks = k // n << 16 if n and word else 0
    assert dict(Setup.of(layer, 1, CONFIG).writes())[Register.OUTER] == word | blocks


@pytest.mark.parametrize("n", [2, 24, 512])  # half a beat, 12 by half beats, 128 beats
def test_blocks_that_the_engine_does_not_make_are_refused(n: int) -> None:
    layer = program(weight_codes=np.zeros((2, 1536), np.uint8), signs=np.ones(1536, np.int8), hadamard_n=n)
    with pytest.raises(ValueError, match=f"hadamard_n={n}: expected 4, or 1, 12 or 36 times"):
        Setup.of(layer, 1, CONFIG)


def test_a_start_checks_the_blocks_of_a_rotation() -> None:
    config = TopConfig(CONFIG.array, 640)
    across = replace(GOOD, points=2, base=1, blocks=3, k=288)
    assert check(config, across) == Error.NONE
    assert check(config, replace(across, k=284)) == Error.ROTATION
    assert check(config, replace(across, blocks=2)) == Error.ROTATION
    assert check(config, replace(across, k=284, rotate=False)) == Error.NONE
    assert check(config, replace(across, points=3, k=432)) == Error.OUTER
    assert check(config, replace(across, base=3, k=24)) == Error.OUTER
    assert check(config, replace(GOOD, points=128, blocks=1, k=512)) == Error.OUTER
    assert check(config, replace(GOOD, points=64, blocks=1, k=256)) == Error.NONE
    assert check(config, replace(across, amp=(96 << 15) - (1 << 11))) == Error.NONE
    assert check(config, replace(across, amp=96 << 15)) == Error.STATIC_AMP
    assert check(replace(config, outer=False), across) == Error.OUTER
    # 72 beats through P of 2, then of 12: 3 and 13 cycles each, 3 more either time.
    assert row_cycles(config, across) - row_cycles(config, replace(across, rotate=False)) == 72 * 16 + 6


def test_signs_are_bits_of_words_lowest_first() -> None:
    signs = [1] * 40
    signs[0] = signs[33] = -1
    assert sign_words(signs) == [1, 2]


def test_registers_of_a_layer() -> None:
    setup = Setup.of(program(static=StaticScale(3, 7), signs=np.ones(3, np.int8)), 5, CONFIG)
    assert setup == Setup(5, 2, 3, 0, 3, rotate=True, static=True, exp=3, amp=7)
    assert dict(setup.writes())[Register.FORMATS] == 0x30
    assert dict(setup.writes())[Register.RECIPE] == 3


def test_wide_weights_come_once_for_each_pass_nibble_by_nibble() -> None:
    heads = weight_beats(CONFIG, program(), 0)[:3]
    # -127 = 16 · -8 + 1, 0x81; 37 = 0x25, 3 = 0x03; second channel 0x12, 0x34, 0x56.
    wide = program(
        weight_fmt="int8", weight_codes=np.array([[0x81, 0x25, 0x03], [0x12, 0x34, 0x56]], np.uint8)
    )
    high, low = [0x18, 0x32, 0x50], [0x21, 0x45, 0x63]
    assert weight_beats(CONFIG, wide, 0) == [*heads, *high, *low]
    both = replace(wide, act_fmt="int8")
    assert weight_beats(CONFIG, both, 0) == [*heads, *high, *low, *high, *low]
    activations = program(act_fmt="int6")
    assert weight_beats(CONFIG, activations, 0) == [*heads, *2 * [0x41, 0x52, 0x63]]
    # -31 is 0x21 in six bits and 0xE1 in eight.
    six = program(weight_fmt="int6", weight_codes=np.array([[0x21, 1, 2], [0, 0, 0]], np.uint8))
    assert weight_beats(CONFIG, six, 0) == [*heads, 0xE, 0, 0, 1, 1, 2]


def test_wide_formats_have_selectors() -> None:
    setup = Setup.of(program(act_fmt="int6", weight_fmt="int8"), 1, CONFIG)
    assert (setup.a_fmt, setup.b_fmt) == (4, 5)
    assert dict(setup.writes())[Register.FORMATS] == 0x54


def test_zero_points_and_sums_come_between_scales_and_codes() -> None:
    heads = [0x3C00_01FC00, 0xBC00_01FC01, 0]
    codes = [0x41, 0x52, 0x63]
    zeros = np.array([-2, 0x1234], np.int16)
    weights = program(weight_zero=zeros)
    assert weight_beats(CONFIG, weights, 0) == [*heads, 0xFFFE, 0x1234, 0, *codes]
    # 1 + 2 + 3, 4 + 5 + 6; the zero points do not count.
    rows = program(act_fmt="int4", act_zero="row")
    assert weight_beats(CONFIG, rows, 0) == [*heads, 6 << 16, 15 << 16, 0, *codes]
    # Seven and eight in two's complement are 7 and -8: 7 + 2 + 3, -8 + 5 + 6; e2m1's 7 is 12 steps.
    both = program(
        act_fmt="int4",
        act_zero="row",
        weight_zero=zeros,
        weight_codes=np.array([[7, 2, 3], [8, 5, 15]], np.uint8),
    )
    assert weight_beats(CONFIG, both, 0)[3:6] == [12 << 16 | 0xFFFE, 0x1FFFFC << 16 | 0x1234, 0]
    floats = program(act_fmt="int4", act_zero="row", weight_fmt="e2m1")
    assert weight_beats(CONFIG, floats, 0)[3:6] == [(1 + 2 + 3) << 16, (4 + 6 + 8) << 16, 0]
    ones = (1 << 40) - 1
    padded = weight_beats(CONFIG, weights, 0, [ones] * 9)
    assert padded[3:6] == [ones & ~0xFFFF | 0xFFFE, ones & ~0xFFFF | 0x1234, ones]


def test_zero_points_have_registers() -> None:
    static = program(act_fmt="int8", act_zero=-3, static=StaticScale(3, 7), weight_zero=np.zeros(2, np.int16))
    setup = Setup.of(static, 1, CONFIG)
    assert dict(setup.writes())[Register.RECIPE] == 0b1110
    assert dict(setup.writes())[Register.STATIC_ZERO] == 0xFFFFFFFD
    assert (
        dict(Setup.of(program(act_fmt="int8", act_zero="row"), 1, CONFIG).writes())[Register.RECIPE] == 0b0100
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, Error.NONE),
        ({"m": 65_535, "n": 65_535}, Error.NONE),
        ({"m": 0}, Error.M),
        ({"m": 65_536}, Error.M),
        ({"n": 0}, Error.N),
        ({"k": 0}, Error.K),
        ({"k": 36}, Error.K),
        ({"k": 32}, Error.NONE),
        ({"k": 6}, Error.ROTATION),
        ({"k": 6, "rotate": False}, Error.NONE),
        ({"a_fmt": 1}, Error.A_FORMAT),
        ({"b_fmt": 2}, Error.B_FORMAT),
        ({"a_fmt": 4, "b_fmt": 5}, Error.NONE),
        ({"a_fmt": 6}, Error.A_FORMAT),
        ({"b_fmt": 7}, Error.B_FORMAT),
        ({"exp": 0}, Error.STATIC_EXP),
        ({"exp": 31}, Error.STATIC_EXP),
        ({"exp": 31, "static": False}, Error.NONE),
        ({"amp": 0}, Error.STATIC_AMP),
        ({"amp": 2047}, Error.NONE),  # 11 significant bits
        ({"amp": 2049}, Error.STATIC_AMP),  # 12
        ({"amp": 2050}, Error.NONE),
        ({"amp": 2047 << 6}, Error.NONE),  # below 4 · 2^15
        ({"amp": 1 << 17}, Error.STATIC_AMP),
        ({"amp": 1 << 15, "rotate": False}, Error.STATIC_AMP),
        ({"amp": 2047 << 4, "rotate": False}, Error.NONE),
        ({"a_fmt": 3, "a_zero": True}, Error.NONE),
        ({"a_zero": True}, Error.A_ZERO),  # e2m1
        ({"a_fmt": 3, "a_zero": True, "zero": 7}, Error.NONE),
        ({"a_fmt": 3, "a_zero": True, "zero": 8}, Error.A_ZERO),
        ({"a_fmt": 3, "a_zero": True, "zero": 2**32 - 8}, Error.NONE),
        ({"a_fmt": 3, "a_zero": True, "zero": 2**32 - 9}, Error.A_ZERO),
        ({"a_fmt": 4, "a_zero": True, "zero": 31}, Error.NONE),
        ({"a_fmt": 4, "a_zero": True, "zero": 32}, Error.A_ZERO),
        ({"a_fmt": 5, "a_zero": True, "zero": 2**32 - 128}, Error.NONE),
        ({"a_fmt": 5, "a_zero": True, "zero": 128}, Error.A_ZERO),
        ({"a_fmt": 5, "a_zero": True, "zero": 128, "static": False}, Error.NONE),
        ({"zero": 128}, Error.NONE),
        ({"a_fmt": 3, "a_zero": True, "amp": 1 << 17}, Error.NONE),  # below 4 · 2^16
        ({"a_fmt": 3, "a_zero": True, "amp": 1 << 18}, Error.STATIC_AMP),
        ({"b_zero": True}, Error.NONE),
        ({"b_zero": True, "b_fmt": 0}, Error.B_ZERO),
        ({"m": 0, "n": 0, "amp": 0}, Error.M),  # the first one
    ],
)
def test_a_start_names_the_first_register_that_is_not_legal(change: dict[str, int], error: Error) -> None:
    assert check(CONFIG, replace(GOOD, **change)) == error


@pytest.mark.parametrize(
    "unit", [UnitConfig(("e2m1",), hadamard_n=4), UnitConfig(overflow="saturate", hadamard_n=4)]
)
def test_wide_formats_need_int4_and_accumulators_that_wrap(unit: UnitConfig) -> None:
    config = TopConfig(ArrayConfig(2, 3, unit), 32)
    good = replace(GOOD, b_fmt=0)
    assert check(config, good) == Error.NONE
    assert check(config, replace(good, a_fmt=4)) == Error.A_FORMAT
    assert check(config, replace(good, b_fmt=5)) == Error.B_FORMAT
    assert not config.zeros
    with pytest.raises(ValueError, match="expected legal registers, a start says A_FORMAT"):
        top_cycles(config, Setup(1, 1, 1, a_fmt=5))


def test_zero_points_need_sums_that_fit_the_epilogue() -> None:
    for bits, long, error in ((38, 8188, Error.NONE), (39, 8188, Error.A_ZERO), (38, 8192, Error.A_ZERO)):
        config = TopConfig(ArrayConfig(2, 3, UnitConfig(hadamard_n=4, acc_bits=bits)), 16384)
        assert check(config, replace(GOOD, k=long, a_fmt=3, a_zero=True)) == error
        assert check(config, replace(GOOD, k=long, a_fmt=3)) == Error.NONE


def test_the_checks_refuse_what_a_program_refuses() -> None:
    for amp in (1, 2047, 2050, 32_752, 32_768, 131_008):
        try:
            program(
                weight_codes=np.zeros((2, 4), np.uint8),
                static=StaticScale(15, amp),
                signs=np.ones(4, np.int8),
            ).check(CONFIG.array.unit)
            legal = True
        except ValueError:
            legal = False
        assert legal == (check(CONFIG, replace(GOOD, k=4, amp=amp)) == Error.NONE)


@pytest.mark.parametrize("k_max", [4, 30, 40_000])
def test_memories_of_an_impossible_size_are_refused(k_max: int) -> None:
    with pytest.raises(ValueError, match=f"k_max={k_max}: expected a multiple of 32"):
        TopConfig(CONFIG.array, k_max)


def test_cycles_counted_by_hand() -> None:
    """2 × 3, 4 lanes, K = 5 is 2 beats."""
    five = Setup(3, 4, 5)
    # Load 2; rotate 2, a read, 2 stages; quantize 2, a read, a register.
    assert row_cycles(CONFIG, five) == 2 + 5 + 4
    # 3 columns, 5 codes, drain 2 + 3 + 1, correction's 3 and the epilogue's 4 behind the last row; one less
    # where a row is padding.
    assert tiles_cycles(CONFIG, five, 2, 1) == 3 + 5 + 6 + 7
    assert tiles_cycles(CONFIG, five, 1, 1) == 3 + 5 + 6 + 6
    # The next tile's 3 columns and 5 codes come while the one before drains; of one code the drain is longer.
    assert tiles_cycles(CONFIG, five, 2, 4) == 21 + 3 * 8
    assert tiles_cycles(CONFIG, replace(five, k=1), 2, 4) == 17 + 3 * 6
    # 3 rows are 2 + 1, 4 channels are two tiles.
    assert top_cycles(CONFIG, five) == (2 * 11 + 21 + 8) + (11 + 20 + 8)
    # int8 times int4: a quotient takes 11 cycles for each beat, the codes take two passes; int8 twice: four.
    full = replace(five, m=2, n=3)
    assert top_cycles(CONFIG, replace(full, a_fmt=5, b_fmt=3)) == 2 * (2 + 5 + 24) + 21 + 5
    assert top_cycles(CONFIG, replace(full, a_fmt=3, b_fmt=5)) == 2 * 11 + 21 + 5
    assert top_cycles(CONFIG, replace(full, a_fmt=4, b_fmt=5)) == 2 * (2 + 5 + 24) + 21 + 15
    # Zero points: 3 more columns' beats; rows are divided, and wait for theirs unless it is a register.
    assert top_cycles(CONFIG, replace(full, b_fmt=3, b_zero=True)) == 2 * 11 + 21 + 3
    rows = replace(full, a_fmt=3, a_zero=True)
    assert top_cycles(CONFIG, rows) == 2 * (2 + 5 + 24 + 9) + 21 + 3
    assert top_cycles(CONFIG, replace(rows, static=True, exp=1, amp=1)) == 2 * (2 + 5 + 24) + 21 + 3
    narrow = TopConfig(ArrayConfig(8, 8, UnitConfig(("e2m1",), overlap=False)), 128)
    # Two rows of eight: six of padding leave the array behind the last real one, more than the 4 stages.
    assert top_cycles(narrow, Setup(2, 8, 32)) == 2 * (3 * 1 + 5 + 3) + (8 + 32 + 16)
    # Without overlap the next tile's codes wait for the drain, which hides its scales.
    assert top_cycles(narrow, Setup(2, 16, 32)) == 2 * (3 * 1 + 5 + 3) + (8 + 32 + 16) + (32 + 16)


@pytest.mark.parametrize(("m", "n", "k"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 33)])
def test_no_cycles_for_a_layer_that_cannot_run(m: int, n: int, k: int) -> None:
    with pytest.raises(ValueError, match="expected legal registers"):
        top_cycles(CONFIG, Setup(m, n, k))
