"""Every unit's RTL computes what the law says, bit by bit, in the sizes that bend its widths."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.verify.functional import judge
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.suite import RTL_CONFIG
from fpsim.verify.units import UNIT_NAMES

pytestmark = pytest.mark.rtl

# The narrowest and the widest words, one format and two; and three formats, for the units that know formats.
BF16 = FloatAccumulator(8, 7)
FP16 = FloatAccumulator(5, 10, rounding="rtz")
NARROW = ArrayConfig(
    3, 5, UnitConfig(("e2m1", "int4"), acc_bits=9, guard_bits=0, hadamard_n=4, float_acc=BF16)
)
WIDE = ArrayConfig(1, 2, UnitConfig(("e3m0",), acc_bits=40, guard_bits=8, hadamard_n=2, float_acc=FP16))
THREE_FORMATS = ArrayConfig(5, 2, UnitConfig(("e3m0", "e1m2", "int4"), acc_bits=14, hadamard_n=8))
# Accumulators that saturate, narrower and wider than a product.
SATURATING = {
    "narrow": ArrayConfig(2, 4, UnitConfig(("e2m1", "int4"), acc_bits=9, overflow="saturate")),
    "wide": ArrayConfig(3, 2, UnitConfig(acc_bits=15, overflow="saturate")),
}
SHAPES = [(1, 1), (7, 1), (1, 6)]
KNOW_FORMATS = ("decode", "mul", "mac", "mac_array", "mac_float", "quantizer")

# Least number of results compared in the usual configuration. The exhaustive ones are counts of what exists:
# codes × selectors × low; pairs of codes × pairs of formats and low nibbles; pairs of distinct operands,
# first, added and shifted; FP16 patterns × exponents.
LEAST = {
    "decode": {"exhaustive": 16 * 4 * 2},
    "mul": {"exhaustive": 256 * 25},
    "mac": {"exhaustive": 45 * 45 * 3, "random": 20_000},
    "mac_array": {"random": 10_000},
    "align": {"exhaustive": 65_536 * 9, "random": 50_000},
    "hadamard": {"exhaustive": 32 * 8 * 32, "random": 50_000},
    "amax": {"exhaustive": 32 * 60, "random": 5_000},
    "row_scale": {"exhaustive": 31 * 100, "random": 20_000},
    "quantizer": {"exhaustive": 4 * 30_000, "random": 50_000},
    "epilogue": {"random": 40_000},
    "mac_float": {"exhaustive": 256 * 16 * 2, "random": 10_000},
    "dot_mx": {"random": 800},
    "dot_nvfp4": {"random": 800},
    "lfsr": {"random": 3_000},
    "wide_quantizer": {"exhaustive": 110_000, "random": 50_000},
    "range": {"exhaustive": 32 * 200, "random": 5_000},
    "zero_point": {"exhaustive": 3 * 32 * 32, "random": 2_000},
    "row_sum": {"random": 3_000},
    "group_registers": {"random": 4_000},
    "zero_correction": {"random": 20_000},
    "wide_epilogue": {"random": 30_000},
    "hadamard_outer": {"exhaustive": 32 * 330, "random": 32 * 500},
    "fifo": {"exhaustive": 500, "random": 20_000},
    "skid": {"exhaustive": 100, "random": 20_000},
}

# Cycles from the first beat to the last result, of one beat and two (hadamard_outer: blocks, K = 12, S = 2),
# by the latencies and throughputs of rtl/README.md.
RANDOM_BITS = 5
CYCLES = {
    "wide_quantizer": {"one": 9 + RANDOM_BITS, "two": 2 * (9 + RANDOM_BITS)},
    "zero_point": {"one": 10, "two": 20},
    "zero_correction": {"one": 3, "two": 4},
    "wide_epilogue": {"one": 6, "two": 7},
    "hadamard_outer": {"one": (24 - 1) + (12 + 2) + 12 * 23, "two": (24 - 1) + (12 + 2) + 12 * 23 + 24 * 13},
}


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_every_bit_is_the_laws(name: str) -> None:
    run = simulate(Job(name, RTL_CONFIG, functional=True))
    assert judge(name, RTL_CONFIG, run.functional).missing == ()
    assert run.measured == CYCLES.get(name, run.measured)
    assert set(run.vectors) == set(LEAST[name])
    for kind, least in LEAST[name].items():
        assert run.vectors[kind] >= least


@pytest.mark.parametrize("config", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("name", UNIT_NAMES)
def test_odd_sizes_compute_the_same_law(name: str, config: ArrayConfig) -> None:
    run = simulate(Job(name, config, kinds=("exhaustive", "random", "sequences"), quick=True))
    assert sum(run.vectors.values()) > run.vectors["sequences"] > 0


@pytest.mark.parametrize("name", KNOW_FORMATS)
def test_some_formats_alone_compute_the_same_law(name: str) -> None:
    assert sum(simulate(Job(name, THREE_FORMATS, quick=True)).vectors.values()) > 0


@pytest.mark.parametrize("width", SATURATING)
@pytest.mark.parametrize("name", ["mac", "mac_array"])
def test_saturating_accumulators_compute_the_same_law(name: str, width: str) -> None:
    assert sum(simulate(Job(name, SATURATING[width], quick=True)).vectors.values()) > 0


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("mac", UnitConfig(product_cut=True)),
        ("mac_array", UnitConfig(product_cut=True, overlap=False)),
        ("mac_array", UnitConfig(product_cut=True, overflow="saturate", acc_bits=15)),
        *(("hadamard", UnitConfig(hadamard_n=8, hadamard_cut=cut)) for cut in (2, 3)),
        ("hadamard", UnitConfig(hadamard_n=32, hadamard_cut=2)),
    ],
)
def test_pipeline_cuts_change_no_bit(name: str, unit: UnitConfig) -> None:
    assert sum(simulate(Job(name, ArrayConfig(3, 2, unit), quick=True)).vectors.values()) > 0


@pytest.mark.parametrize(("rows", "cols"), SHAPES)
def test_minimal_arrays_compute_the_same_law(rows: int, cols: int) -> None:
    config = ArrayConfig(rows, cols, UnitConfig(acc_bits=20))
    assert simulate(Job("mac_array", config, quick=True)).vectors["random"] > 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["mac_array", "quantizer", "epilogue"])
def test_another_seed_draws_other_vectors(name: str, seed: int) -> None:
    assert simulate(Job(name, RTL_CONFIG, kinds=("random",), seed=seed, quick=True)).vectors["random"] > 0
