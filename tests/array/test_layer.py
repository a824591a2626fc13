"""The machine runs a layer as the law does, and as exact arithmetic says where nothing is rounded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.reference import trace_tile
from fpsim.formats import get

ONE_TF32 = 127 << 10


def random_program(
    rng: np.random.Generator, act: str, weight: str, n: int, k: int, mode: str
) -> LayerProgram:
    codes = rng.integers(0, 16, (n, k)).astype(np.uint8)
    exponents = rng.integers(110, 125, n, dtype=np.uint32)
    return LayerProgram(
        name="layer",
        act_fmt=act,
        weight_fmt=weight,
        weight_codes=codes,
        col_scale=exponents << np.uint32(10) | rng.integers(0, 1024, n, dtype=np.uint32),
        bias=rng.standard_normal(n).astype(np.float16).view(np.uint16),
        signs=rng.choice(np.array([-1, 1], np.int8), k) if mode.startswith("rotated") else None,
        static={"static": StaticScale(16, 20480), "rotated static": StaticScale(16, 61440)}.get(mode),
    )


@pytest.mark.parametrize("mode", ["plain", "rotated", "static", "rotated static"])
@pytest.mark.parametrize("act", OPERAND_FORMATS)
@pytest.mark.parametrize("weight", OPERAND_FORMATS)
def test_kernels_and_law_agree_on_whole_layers(act: str, weight: str, mode: str) -> None:
    rng = np.random.default_rng([OPERAND_FORMATS.index(act), OPERAND_FORMATS.index(weight), len(mode)])
    config = ArrayConfig(rows=5, cols=4, unit=UnitConfig(hadamard_n=8))
    program = random_program(rng, act, weight, n=4, k=24, mode=mode)
    x = (rng.standard_normal((5, 24)) * 10.0 ** rng.integers(-6, 4, (5, 1))).astype(np.float16)
    x[1] = 0
    x[2, ::2] = -0.0
    bits = x.view(np.uint16)
    tile = trace_tile(config, program, bits.tolist(), 0)
    assert Machine(config, [program]).run("layer", bits).tolist() == tile.y


@pytest.mark.parametrize(("act", "weight"), [("e2m1", "e2m1"), ("e3m0", "int4"), ("int4", "e3m0")])
def test_kernels_and_law_agree_where_accumulators_saturate(act: str, weight: str) -> None:
    """In registers so narrow that clamping shows: wrapping gives other rows."""
    rng = np.random.default_rng(41)
    program = random_program(rng, act, weight, n=4, k=24, mode="plain")
    bits = rng.standard_normal((5, 24)).astype(np.float16).view(np.uint16)
    results = []
    for overflow in ("saturate", "wrap"):
        config = ArrayConfig(rows=5, cols=4, unit=UnitConfig(hadamard_n=8, acc_bits=9, overflow=overflow))
        tile = trace_tile(config, program, bits.tolist(), 0)
        results.append(Machine(config, [program]).run("layer", bits).tolist())
        assert results[-1] == tile.y
    assert results[0] != results[1]


def test_saturating_accumulators_take_neither_passes_nor_zero_points() -> None:
    rng = np.random.default_rng(42)
    unit = UnitConfig(overflow="saturate")
    narrow = random_program(rng, "int4", "int4", n=4, k=24, mode="plain")
    narrow.check(unit)
    with pytest.raises(ValueError, match=r"layer: weight_fmt: format='int8': .* built with .*int4$"):
        replace(narrow, weight_fmt="int8").check(unit)
    with pytest.raises(ValueError, match="layer: zero points: expected accumulators that wrap"):
        replace(narrow, act_zero="row").check(unit)


def test_values_on_the_grid_pass_exactly() -> None:
    """Rows whose largest element is 6·2^k lie on E2M1's grid: y is the exact product, rounded once."""
    rng = np.random.default_rng(3)
    fmt = get("e2m1")
    values = np.array([float(fmt.value(code)) for code in range(16)])  # type: ignore[arg-type]
    x_codes, w_codes = rng.integers(0, 16, (7, 96)), rng.integers(0, 16, (9, 96))
    x_codes[:, 0] = 7
    x = values[x_codes] * 2.0 ** rng.integers(-3, 4, (7, 1))
    scale = 2.0**-4
    program = LayerProgram(
        "layer",
        "e2m1",
        "e2m1",
        w_codes.astype(np.uint8),
        # y = acc · amp · c, in units: acc in half units of both, amp in 1/12 of the row's largest value
        np.full(9, ONE_TF32 + (int(np.log2(scale)) << 10), np.uint32),
        np.zeros(9, np.uint16),
    )
    y = Machine(ArrayConfig(), [program]).run("layer", x.astype(np.float16).view(np.uint16))
    amax = np.abs(x).max(axis=1)
    exact = [
        [
            sum((Fraction(float(a)) * Fraction(float(b)) for a, b in zip(row, col, strict=True)), Fraction())
            for col in values[w_codes]
        ]
        for row in x
    ]
    # acc = Σ x/(amax/12) · w/0.5, so y = Σ x·w · 12 · 2 · scale
    expected = np.array([[float(v * 24 * Fraction(scale)) for v in row] for row in exact]).astype(np.float16)
    assert (amax > 0).all()
    assert (y.view(np.float16) == expected).all()


def test_a_rows_result_depends_on_nothing_but_the_row() -> None:
    rng = np.random.default_rng(4)
    program = random_program(rng, "e2m1", "e2m1", n=8, k=64, mode="rotated")
    machine = Machine(ArrayConfig(), [program])
    x = rng.standard_normal((50, 64)).astype(np.float16).view(np.uint16)
    alone: NDArray[np.uint16] = np.concatenate([machine.run("layer", row[None]) for row in x])
    assert (machine.run("layer", x) == alone).all()


def small(**changes: object) -> LayerProgram:
    fields: dict[str, object] = {
        "name": "layer",
        "act_fmt": "e2m1",
        "weight_fmt": "e2m1",
        "weight_codes": np.zeros((2, 32), np.uint8),
        "col_scale": np.full(2, ONE_TF32, np.uint32),
        "bias": np.zeros(2, np.uint16),
    }
    return LayerProgram(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight_codes": np.zeros((2, 32), np.int64)}, r"weight_codes: int64 \(2, 32\), expected uint8"),
        ({"col_scale": np.full(3, ONE_TF32, np.uint32)}, r"col_scale: uint32 \(3,\), expected uint32 \(2,\)"),
        ({"col_scale": np.zeros(2, np.uint32)}, r"col_scale: expected positive, normal"),
        ({"bias": np.full(2, 0x7C00, np.uint16)}, r"bias: expected finite"),
        ({"signs": np.zeros(32, np.int8)}, r"signs: expected \+1 and -1"),
        ({"act_fmt": "e4m3"}, r"layer: act_fmt: format='e4m3'"),
        ({"weight_codes": np.full((2, 32), 16, np.uint8)}, r"16"),
        ({"weight_codes": np.zeros((2, 33), np.uint8), "signs": np.ones(33, np.int8)}, r"K=33.*multiple of"),
        ({"static": StaticScale(15, 1 << 15)}, r"amp < 2\^15"),
        ({"static": StaticScale(15, 32 << 15), "signs": np.ones(32, np.int8)}, r"amp < 32 \* 2\^15"),
    ],
)
def test_illegal_programs_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine(ArrayConfig(), [small(**changes)])


@pytest.mark.parametrize(
    ("name", "x", "message"),
    [
        ("other", np.zeros((1, 32), np.uint16), r"name='other': expected one of layer"),
        ("layer", np.zeros((1, 31), np.uint16), r"x: uint16 \(1, 31\) for layer, expected"),
        ("layer", np.zeros((1, 32), np.float16), r"x: float16"),
        ("layer", np.full((2, 32), 0x7E00, np.uint16), r"row 0 of x has an Inf or a NaN"),
    ],
)
def test_illegal_inputs_are_refused(name: str, x: NDArray[np.generic], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine(ArrayConfig(), [small()]).run(name, x)  # type: ignore[arg-type]
