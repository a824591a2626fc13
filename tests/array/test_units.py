"""Layers on the units beside the array: the kernels against the laws, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fpsim.array.block import BlockProgram, block_recipe
from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.grouped import GroupedProgram
from fpsim.array.half import HalfProgram
from fpsim.array.layer import Machine
from fpsim.array.released import ReleasedProgram
from fpsim.array.unit_reference import UnitProgram, row_by_law
from fpsim.formats import get
from fpsim.formats.tensor_recipes import MxRecipe

CONFIG = ArrayConfig(unit=UnitConfig(hadamard_n=8))
N = 5


def fp16(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float16).view(np.uint16)


def block_program(
    rng: np.random.Generator, recipe: str, k: int, weight: str = "", **own: Any
) -> BlockProgram:
    found = block_recipe(weight or recipe)
    element = get(found.element)
    codes = rng.integers(0, element.n_codes, (N, k)).astype(np.uint8)
    codes[(codes & element.magnitude_mask) > element.max_magnitude_code] = 0
    mx = isinstance(found, MxRecipe)
    low, high = (110, 130) if mx else (0, 127)
    scales = rng.integers(low, high, (N, -(-k // found.block_size))).astype(np.uint8)
    fields: dict[str, Any] = {
        "weight_tensor_scale": 1.0 if mx else float(np.float32(0.0137)),
        "act_amax": None if mx else 7.3,
    }
    bias = fp16(rng.standard_normal(N))
    return BlockProgram("layer", recipe, weight or recipe, codes, scales, bias, **{**fields, **own})


def grouped_program(rng: np.random.Generator, bits: tuple[int, int], group: int, k: int) -> GroupedProgram:
    top, groups = 1 << bits[0], (N, -(-k // group))
    return GroupedProgram(
        "layer",
        bits[1],
        bits[0],
        group,
        rng.integers(0, top, (N, k)).astype(np.uint8),
        rng.integers(0, top, groups).astype(np.uint8),
        fp16(10.0 ** rng.uniform(-6, 1, groups)),
        fp16(rng.standard_normal(N)),
    )


def released_program(rng: np.random.Generator, k: int) -> ReleasedProgram:
    return ReleasedProgram(
        "layer",
        rng.integers(-128, 128, (N, k)).astype(np.int8),
        fp16(10.0 ** rng.uniform(-4, -1, N)),
        rng.integers(-400, 400, N).astype(np.int16),
        fp16(rng.standard_normal(N)),
    )


def signs(rng: np.random.Generator, k: int) -> np.ndarray:
    return rng.choice(np.array([-1, 1], np.int8), k)


def programs() -> dict[str, UnitProgram]:
    rng = np.random.default_rng(40)
    made: dict[str, UnitProgram] = {
        name: block_program(rng, name, 70)
        for name in ("mxfp4-floor", "mxfp4-even", "mxfp4-rceil", "mxfp6-e2m3-floor", "nvfp4", "nvfp4-te")
    }
    made["mxfp8 rows"] = block_program(rng, "mxfp8-e4m3-floor", 64, "mxfp4-floor")
    made["four over six"] = block_program(rng, "nvfp4-four-over-six-mse-256", 48)
    made["mx rotated"] = block_program(rng, "mxfp4-even", 64, signs=signs(rng, 64), hadamard_n=32)
    made["mx, engine's size"] = block_program(rng, "mxfp4-floor", 40, signs=signs(rng, 40))
    made["nv, 12 · 2^k"] = block_program(rng, "nvfp4", 96, signs=signs(rng, 96), hadamard_n=96, act_amax=90.0)
    made["w4a8 in groups"] = grouped_program(rng, (4, 8), 32, 96)
    made["w4a4 in groups"] = grouped_program(rng, (4, 4), 16, 41)
    made["w8a8 in groups"] = grouped_program(rng, (8, 8), 258, 300)
    made["released"] = released_program(rng, 80)
    weight = rng.standard_normal((N, 50)) * 10.0 ** rng.integers(-7, 3, (N, 50))
    made["fp16"] = HalfProgram("layer", fp16(weight), fp16(rng.standard_normal(N)))
    return made


PROGRAMS = programs()


def rows(k: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((7, k)) * 10.0 ** rng.integers(-6, 3, (7, 1))
    x[1] = 0
    x[2, ::2] = -0.0
    x[3] = np.abs(x[3]) * 1e-7 / np.abs(x[3]).max()  # subnormal
    x[4] *= 10.0 ** rng.integers(-4, 1, k)
    return fp16(x)


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_kernels_and_law_agree_on_whole_layers(name: str) -> None:
    program = PROGRAMS[name]
    x = rows(program.shape[1], list(PROGRAMS).index(name))
    got = Machine(CONFIG, [program]).run("layer", x)
    assert got.tolist() == [row_by_law(program, CONFIG.unit, row) for row in x.tolist()]
    assert len(np.unique(got)) > 2 * N


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_a_rows_result_depends_on_nothing_but_the_row(name: str) -> None:
    machine = Machine(CONFIG, [PROGRAMS[name]])
    x = rows(PROGRAMS[name].shape[1], 9)
    assert (machine.run("layer", x) == np.concatenate([machine.run("layer", row[None]) for row in x])).all()


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_the_float_imitation_is_close(name: str) -> None:
    program = PROGRAMS[name]
    x = np.random.default_rng(41).standard_normal((40, program.shape[1])).astype(np.float16)
    real = Machine(CONFIG, [program]).run("layer", x.view(np.uint16)).view(np.float16).astype(np.float64)
    fake = program.fake(CONFIG.unit)(x.astype(np.float32)).astype(np.float64)
    assert np.linalg.norm(real - fake) < 2e-2 * np.linalg.norm(real)


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_rows_that_are_not_finite_are_refused(name: str) -> None:
    x = rows(PROGRAMS[name].shape[1], 10)
    x[5, 3] = 0x7C00
    with pytest.raises(ValueError, match="layer: row 5 of x has an Inf or a NaN"):
        Machine(CONFIG, [PROGRAMS[name]]).run("layer", x)


def test_values_on_the_grid_pass_exactly() -> None:
    """Rows and weights that MXFP4 holds: y is their product, rounded once."""
    rng = np.random.default_rng(42)
    levels = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    x, w = (levels[rng.integers(0, 8, (m, 64))] * rng.choice([-1, 1], (m, 64)) for m in (6, N))
    x[:, ::32] = 6
    w[:, ::32] = 4
    scales = np.full((N, 2), 127, np.uint8)
    codes = np.searchsorted(levels, np.abs(w)).astype(np.uint8) | np.where(w < 0, 8, 0).astype(np.uint8)
    program = BlockProgram("layer", "mxfp4-floor", "mxfp4-floor", codes, scales, fp16(np.zeros(N)))
    assert (Machine(CONFIG, [program]).run("layer", fp16(x)).view(np.float16) == x @ w.T).all()


MX, NV = PROGRAMS["mxfp4-floor"], PROGRAMS["nvfp4"]
GROUPED, RELEASED, HALF = PROGRAMS["w4a8 in groups"], PROGRAMS["released"], PROGRAMS["fp16"]
INF = np.full(N, 0x7C00, np.uint16)


@pytest.mark.parametrize(
    ("program", "changes", "message"),
    [
        (MX, {"act_recipe": "nvfp4"}, "expected scales ue4m3 per 16 as in act_recipe='nvfp4'"),
        (MX, {"act_recipe": "per-token-e2m1"}, "expected an MX or NVFP4 recipe"),
        (MX, {"weight_scales": np.full((N, 3), 255, np.uint8)}, "weight_scales: expected finite e8m0 codes"),
        (MX, {"weight_scales": np.zeros((N, 2), np.uint8)}, r"weight_scales: uint8 \(5, 2\), expected"),
        (MX, {"weight_codes": np.full((N, 70), 16, np.uint8)}, "16"),
        (MX, {"act_amax": 1.0}, "act_amax=1.0: expected None for MX"),
        (NV, {"act_amax": None}, "act_amax=None: expected None for MX, a number"),
        (NV, {"act_amax": 0.0}, "act_amax=0.0: expected a positive number"),
        (NV, {"weight_tensor_scale": 0.1}, "weight_tensor_scale=0.1: expected a positive normal float32"),
        (NV, {"weight_tensor_scale": 1e-45}, "weight_tensor_scale=1e-45: expected a positive normal"),
        (NV, {"weight_tensor_scale": 2.0**-126}, "output scale"),
        (MX, {"signs": np.ones(70, np.int8)}, "layer: hadamard_n=8: expected a divisor of K=70"),
        (MX, {"signs": np.zeros(70, np.int8)}, r"signs: expected \+1 and -1"),
        (MX, {"bias": INF}, "bias: expected finite FP16 bits"),
        (GROUPED, {"group": 259}, "group=259: expected an integer from 1 to 258"),
        (GROUPED, {"act_bits": 9}, "act_bits=9: expected an integer from 2 to 8"),
        (
            GROUPED,
            {"weight_codes": np.full((N, 96), 16, np.uint8)},
            "weight_codes holds 16: expected 0 to 15",
        ),
        (GROUPED, {"weight_scales": np.zeros((N, 3), np.uint16)}, "weight_scales: expected positive FP16"),
        (RELEASED, {"weight_scales": np.full(N, 0x8001, np.uint16)}, "weight_scales: expected positive"),
        (RELEASED, {"weight_zeros": np.zeros(N, np.int32)}, r"weight_zeros: int32 \(5,\), expected int16"),
        (HALF, {"weight": np.full((N, 50), 0x7C00, np.uint16)}, "weight: expected finite FP16 bits"),
        (HALF, {"weight": np.zeros(50, np.uint16)}, r"weight: uint16 \(50,\), expected uint16 \(N, K\)"),
    ],
)
def test_illegal_programs_are_refused(program: UnitProgram, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine(CONFIG, [replace(program, **changes)])


def test_a_rotation_that_float32_does_not_hold_is_refused() -> None:
    rng = np.random.default_rng(43)
    wide = block_program(rng, "mxfp4-floor", 1024, signs=signs(rng, 1024), hadamard_n=512)
    Machine(CONFIG, [wide])
    with pytest.raises(ValueError, match=r"hadamard_n=1024: .*\* n < 2\^24"):
        Machine(CONFIG, [replace(wide, hadamard_n=1024)])


def test_released_rows_whose_sum_fp16_does_not_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="layer: row 0 of x adds up to more than FP16 holds"):
        Machine(CONFIG, [RELEASED]).run("layer", fp16(np.full((1, 80), 1000.0)))
