"""Layers of 6- and 8-bit integers and of zero points: law, kernels, and arithmetic in plain integers."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.protocol import OperandBits
from fpsim.array.reference import trace_tile
from fpsim.formats import get

FORMATS = ("e2m1", "e3m0", "int4", "int6", "int8")
MODES = ("plain", "rotated", "static", "rotated static")
ONE_TF32 = 127 << 10


def random_program(
    rng: np.random.Generator, act: str, weight: str, mode: str, *, act_zero: bool, weight_zero: bool
) -> LayerProgram:
    n, k = 4, 24
    half = get(act).n_codes // 2
    return LayerProgram(
        name="layer",
        act_fmt=act,
        weight_fmt=weight,
        weight_codes=rng.integers(0, get(weight).n_codes, (n, k)).astype(np.uint8),
        col_scale=rng.integers(100 << 10, 115 << 10, n, dtype=np.uint32),
        bias=rng.standard_normal(n).astype(np.float16).view(np.uint16),
        signs=rng.choice(np.array([-1, 1], np.int8), k) if mode.startswith("rotated") else None,
        static={"static": StaticScale(16, 20480), "rotated static": StaticScale(16, 61440)}.get(mode),
        act_zero=(int(rng.integers(-half, half)) if mode.endswith("static") else "row") if act_zero else None,
        weight_zero=rng.integers(-300, 300, n).astype(np.int16) if weight_zero else None,
    )


def random_rows(rng: np.random.Generator) -> NDArray[np.float16]:
    """Rows of all magnitudes and offsets, one of zeros, one of both zeros, one without negative elements."""
    x = rng.standard_normal((6, 24)) * 10.0 ** rng.integers(-6, 4, (6, 1)) + rng.integers(-1, 2, (6, 1))
    x[1] = 0
    x[2, ::2] = -0.0
    x[3] = np.abs(x[3])
    return x.astype(np.float16)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("weight", FORMATS)
@pytest.mark.parametrize("act", FORMATS)
def test_kernels_and_law_agree_on_whole_layers(act: str, weight: str, mode: str) -> None:
    rng = np.random.default_rng([FORMATS.index(act), FORMATS.index(weight), MODES.index(mode)])
    for act_zero, weight_zero in itertools.product((False, True), (False, True)):
        if (act_zero and act not in FORMATS[2:]) or (weight_zero and weight not in FORMATS[2:]):
            continue
        for acc_bits in (14, 28):  # sums wrap, and do not
            config = ArrayConfig(rows=6, cols=4, unit=UnitConfig(hadamard_n=8, acc_bits=acc_bits))
            program = random_program(rng, act, weight, mode, act_zero=act_zero, weight_zero=weight_zero)
            x = random_rows(rng).view(np.uint16)
            tile = trace_tile(config, program, x.tolist(), 0)
            assert Machine(config, [program]).run("layer", x).tolist() == tile.y


@pytest.mark.parametrize("weight", ["int4", "int6", "int8"])
@pytest.mark.parametrize("act", ["int4", "int6", "int8"])
def test_sums_are_those_of_the_operands_less_their_zero_points(act: str, weight: str) -> None:
    """By numpy on int64, from the codes: no correction term appears here."""
    rng = np.random.default_rng(5)
    config = ArrayConfig(rows=6, cols=4)
    program = random_program(rng, act, weight, "plain", act_zero=True, weight_zero=True)
    tile = trace_tile(config, program, random_rows(rng).view(np.uint16).tolist(), 0)

    def signed(codes: NDArray[np.integer], fmt: str) -> NDArray[np.int64]:
        gap = 8 - get(fmt).bits
        return (codes.astype(np.uint8) << gap).view(np.int8).astype(np.int64) >> gap

    a = signed(np.array([row.codes for row in tile.rows]), act) - np.array([[row.zero] for row in tile.rows])
    assert program.weight_zero is not None
    w = signed(program.weight_codes, weight) - program.weight_zero[:, None]
    assert tile.sums == (a @ w.T).tolist()
    assert len({row.zero for row in tile.rows}) > 2


@pytest.mark.parametrize("act_zero", [False, True])
def test_integers_pass_exactly(act_zero: bool) -> None:
    """Rows of integers that span all codes: y is the exact product, rounded once."""
    rng = np.random.default_rng(3)
    x, w = rng.integers(-127, 128, (7, 96)), rng.integers(-100, 101, (9, 96))
    zero = rng.integers(-27, 28, 9)
    x[:, 0], x[:, 1] = 127, -128 if act_zero else -127
    program = LayerProgram(
        "layer",
        "int8",
        "int8",
        (w + zero[:, None]).astype(np.int8).view(np.uint8),
        # amp (127, or 255 of a span) · c, so y = Σ x·w · L · 2^-16
        np.full(9, ONE_TF32 - (16 << 10), np.uint32),
        np.zeros(9, np.uint16),
        act_zero="row" if act_zero else None,
        weight_zero=zero.astype(np.int16),
    )
    y = Machine(ArrayConfig(), [program]).run("layer", x.astype(np.float16).view(np.uint16))
    levels = 255 if act_zero else 127
    exact = [[Fraction(int(v) * levels, 1 << 16) for v in row] for row in x @ w.T]
    expected = np.array([[float(v) for v in row] for row in exact]).astype(np.float16)
    assert (y.view(np.float16) == expected).all()
    assert (np.abs(expected) < 60000).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("act_zero", [False, True])
@pytest.mark.parametrize("act", ["int4", "int6", "int8"])
def test_the_imitation_is_close(act: str, act_zero: bool, mode: str) -> None:
    """The machine differs from fake quantization by FP16, fixed point and codes at a boundary only."""
    rng = np.random.default_rng(11)
    program = random_program(rng, act, "int8", mode, act_zero=act_zero, weight_zero=True)
    x = (rng.standard_normal((200, 24)) + 0.3).astype(np.float16)
    config = ArrayConfig(unit=UnitConfig(hadamard_n=8))
    real = Machine(config, [program]).run("layer", x.view(np.uint16)).view(np.float16).astype(np.float32)
    fake = program.fake(config.unit)(x.astype(np.float32))
    assert np.abs(real - fake).mean() < 0.01 * np.abs(fake - fake.mean(axis=0)).mean()


def test_operand_bits_count_the_passes() -> None:
    rng = np.random.default_rng(1)
    for act, weight, passes in (
        ("int8", "int8", 4),
        ("int8", "e2m1", 2),
        ("int6", "int4", 2),
        ("int4", "e3m0", 1),
    ):
        program = random_program(rng, act, weight, "plain", act_zero=False, weight_zero=False)
        assert program.operand_bits == OperandBits(get(act).bits, get(weight).bits, passes)


def small(**changes: object) -> LayerProgram:
    fields: dict[str, object] = {
        "name": "layer",
        "act_fmt": "int8",
        "weight_fmt": "int8",
        "weight_codes": np.zeros((2, 32), np.uint8),
        "col_scale": np.full(2, ONE_TF32, np.uint32),
        "bias": np.zeros(2, np.uint16),
    }
    return LayerProgram(**{**fields, **changes})  # type: ignore[arg-type]


STATIC = StaticScale(15, 1 << 15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"act_fmt": "uint8"}, r"layer: act_fmt: format='uint8'"),
        ({"weight_fmt": "int6", "weight_codes": np.full((2, 32), 64, np.uint8)}, r"int6 has codes 0 to 63"),
        ({"weight_zero": np.zeros(2, np.int32)}, r"weight_zero: int32 \(2,\), expected int16 \(2,\)"),
        (
            {"weight_zero": np.zeros(2, np.int16), "weight_fmt": "e2m1"},
            r"weight_zero: expected None for e2m1",
        ),
        ({"act_zero": "row", "act_fmt": "e1m2"}, r"act_zero: expected None for e1m2, which is no integer"),
        ({"act_zero": 3}, r"act_zero=3: expected 'row' with a dynamic scale"),
        (
            {"act_zero": "row", "static": STATIC},
            r"act_zero='row': expected None or -128 to 127 with a static",
        ),
        ({"act_zero": 128, "static": STATIC}, r"act_zero=128: expected None or -128 to 127"),
        ({"static": STATIC}, r"amp < 2\^15"),
        ({"act_zero": 0, "static": StaticScale(15, 1 << 16)}, r"amp < 2\^16"),
    ],
)
def test_illegal_programs_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine(ArrayConfig(), [small(**changes)])


@pytest.mark.parametrize(
    ("exp", "amp", "message"),
    [
        (0, 5, "exp=0: expected 1 to 30"),
        (31, 5, "exp=31: expected 1 to 30"),
        (15, 0, "amp=0: expected at least 1"),
        (15, 2049, "amp=2049: expected at most 11 significant bits"),
        (15, 4098, "amp=4098: expected at most 11 significant bits"),
    ],
)
def test_illegal_registers_are_refused(exp: int, amp: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StaticScale(exp, amp)
    assert [StaticScale(15, legal).amp for legal in (1, 2047, 4100, 1 << 15)] == [1, 2047, 4100, 1 << 15]


def test_sums_that_the_epilogue_cannot_take_are_refused() -> None:
    """acc_bits = 40 leaves 2^39 for zero points: K · (2^15 · 255 + 128 · 128) fits up to K = 65664."""
    unit = UnitConfig(acc_bits=40)
    zero = np.full(1, -(1 << 15), np.int16)
    one = {"col_scale": np.full(1, ONE_TF32, np.uint32), "bias": np.zeros(1, np.uint16)}
    for k, legal in ((65664, True), (65665, False)):
        program = small(**one, act_zero="row", weight_zero=zero, weight_codes=np.zeros((1, k), np.uint8))
        assert (program.corrected_magnitude(unit) <= 1 << 40) is legal
        if legal:
            program.check(unit)
        else:
            with pytest.raises(ValueError, match=r"K=65665, acc_bits=40: .* expected at most 2\^40"):
                program.check(unit)
