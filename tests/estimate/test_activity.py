"""What is counted in a layer, against the law: registers cycle by cycle, buses word by word."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from fpsim.arith import toggles as law
from fpsim.array.block import BlockProgram
from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.cycles import layer_cycles
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.reference import RowTrace, trace_row, trace_tile
from fpsim.array.top import TopConfig, packed, weight_beats
from fpsim.estimate.activity import ARRAY, LayerActivity, layer_activity

CONFIG = ArrayConfig(3, 4, UnitConfig(hadamard_n=8))
M, N, K = 5, 9, 16


def layer(
    act_fmt: str, weight_fmt: str, *, rotated: bool, static: bool, n: int | None = None
) -> LayerProgram:
    rng = np.random.default_rng(5)
    return LayerProgram(
        name="layer",
        act_fmt=act_fmt,
        weight_fmt=weight_fmt,
        weight_codes=rng.integers(0, 16, (N, K), np.uint8),
        col_scale=np.full(N, 120 << 10, np.uint32) + rng.integers(0, 1024, N, np.uint32),
        bias=rng.standard_normal(N).astype(np.float16).view(np.uint16),
        signs=rng.choice(np.array([-1, 1], np.int8), K) if rotated else None,
        static=StaticScale(17, 1 << 12) if static else None,
        hadamard_n=n,
    )


def rows() -> np.ndarray:
    return np.random.default_rng(6).standard_normal((M, K)).astype(np.float16).view(np.uint16)


def beats(values: list[list[int]], lanes: int) -> list[list[int]]:
    """Rows cut into beats, one after the other."""
    return [row[at : at + lanes] for row in values for at in range(0, len(row), lanes)]


def words(lanes: list[list[int]], bits: int) -> list[int]:
    return [packed([lane & ((1 << bits) - 1) for lane in word], bits) for word in lanes]


def by_law(program: LayerProgram, x: np.ndarray) -> dict[str, int]:
    """All transitions of a layer, from the traces of the law."""
    unit, lanes = CONFIG.unit, CONFIG.unit.hadamard_n
    traces: list[RowTrace] = [trace_row(CONFIG, program, row) for row in x.tolist()]
    codes = np.zeros((-(-M // CONFIG.rows) * CONFIG.rows, K), int)
    codes[:M] = [trace.codes for trace in traces]
    weights = np.zeros((-(-N // CONFIG.cols) * CONFIG.cols, K), int)
    weights[:N] = program.weight_codes
    sides = (
        [side[at : at + lanes].tolist() for at in range(0, len(side), lanes)]
        for side, lanes in ((codes, CONFIG.rows), (weights, CONFIG.cols))
    )
    found = law.array_toggles(
        list(itertools.product(*sides)), program.act_fmt, program.weight_fmt, acc_bits=unit.acc_bits
    )
    found["a_sram"], found["b_sram"] = found.pop("a_codes"), found.pop("b_codes")
    looks = 1 if program.static else 2
    twice = [row for row in x.tolist() for _ in range(looks)]
    found["x_sram"] = law.word_toggles(words(beats(twice, lanes), 16), 16 * lanes)
    coded = words(beats([trace.codes for trace in traces], lanes), 4)
    found["quantizer"] = found["code_sram"] = law.word_toggles(coded, 4 * lanes)
    n = program.rotation(unit)
    if not program.static:
        width = unit.align_bits + (0 if n is None else n.bit_length() - 1)
        rotated = words(beats([trace.rotated for trace in traces], lanes), width)
        found["row_sram"] = law.word_toggles(rotated, width * lanes)
    aligned = beats([trace.aligned for trace in traces], lanes)
    signs = None if program.signs is None else beats([program.signs.tolist()] * M, lanes)
    found["butterfly"] = law.hadamard_toggles(aligned, signs, unit.align_bits)
    results = []
    for first in range(0, M, CONFIG.rows):
        for col in range(0, N, CONFIG.cols):
            tile = trace_tile(CONFIG, program, x[first : first + CONFIG.rows].tolist(), col)
            results += [row + [0] * (CONFIG.cols - len(row)) for row in tile.y]
    found["y_sram"] = law.word_toggles(words(results, 16), 16 * CONFIG.cols)
    top = TopConfig(CONFIG)
    stream = [word for col in range(0, N, CONFIG.cols) for word in weight_beats(top, program, col)]
    found["w_dram"] = law.word_toggles(stream, top.weight_beat_bits)
    return found


@pytest.mark.parametrize("fmts", [("e2m1", "e2m1"), ("e3m0", "int4")])
@pytest.mark.parametrize(
    ("rotated", "static", "n"),
    [(False, False, None), (True, False, None), (True, False, 16), (False, True, None), (True, True, 8)],
)
def test_a_layer_is_counted_as_the_law_has_it(
    fmts: tuple[str, str], rotated: bool, static: bool, n: int | None
) -> None:
    program, x = layer(*fmts, rotated=rotated, static=static, n=n), rows()
    found = layer_activity(program, CONFIG, x)
    assert found.toggles == by_law(program, x)
    assert (found.m, found.n, found.k, found.rotated) == (M, N, K, rotated)
    assert found.cycles == layer_cycles(CONFIG, M, N, K)
    assert set(found.bits) == set(found.toggles) > set(ARRAY)
    assert all(0 < found.rate(name) < 1 for name in found.toggles)
    for steps in (found.a_steps, found.b_steps):  # every operand register, every cycle
        assert steps.sum() == CONFIG.rows * CONFIG.cols * found.cycles


def test_a_rate_is_over_all_its_registers() -> None:
    found = layer_activity(layer("e2m1", "e2m1", rotated=False, static=False), CONFIG, rows())
    both = found.toggles["a_operand"] + found.toggles["acc"]
    assert found.rate("a_operand", "acc") == both / (found.bits["a_operand"] + found.bits["acc"])
    assert found.rate("a rotation not done") == 0.0
    still = layer_activity(
        layer("e2m1", "e2m1", rotated=False, static=False), CONFIG, np.zeros((M, K), np.uint16)
    )
    assert still.rate("product") == still.rate("acc") == still.rate("butterfly") == 0.0
    assert still.rate("b_operand") > 0
    assert isinstance(still, LayerActivity)


def test_a_rotation_beyond_the_engine_has_no_butterflies() -> None:
    wide = replace(layer("e2m1", "e2m1", rotated=True, static=False), hadamard_n=12 * 1)
    config = replace(CONFIG, unit=replace(CONFIG.unit, hadamard_n=4))
    program = replace(wide, weight_codes=np.zeros((N, 12), np.uint8), signs=np.ones(12, np.int8))
    found = layer_activity(program, config, rows()[:, :12])  # 12 = 12 · 1, the engine's beats are of 4
    assert "butterfly" not in found.toggles
    assert "quantizer" in found.toggles


def test_what_cannot_be_counted_is_refused() -> None:
    plain, x = layer("e2m1", "e2m1", rotated=False, static=False), rows()
    wide = replace(plain, act_fmt="int8")
    with pytest.raises(ValueError, match="layer: int8 x e2m1: expected 4-bit operands"):
        layer_activity(wide, CONFIG, x)
    zeros = replace(plain, act_fmt="int4", act_zero="row")
    with pytest.raises(ValueError, match="zero points: expected symmetric operands"):
        layer_activity(zeros, CONFIG, x)
    clamped = replace(CONFIG, unit=replace(CONFIG.unit, overflow="saturate"))
    with pytest.raises(ValueError, match="overflow='saturate': expected accumulators that wrap"):
        layer_activity(plain, clamped, x)
    with pytest.raises(ValueError, match="layer: x has an Inf or a NaN"):
        layer_activity(plain, CONFIG, np.full((M, K), 0x7C00, np.uint16))
    other = object.__new__(BlockProgram)
    object.__setattr__(other, "name", "block")
    with pytest.raises(ValueError, match="block: a BlockProgram: expected a layer of the array"):
        layer_activity(other, CONFIG, x)
