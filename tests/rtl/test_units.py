"""Every unit's RTL computes what the law says, bit by bit, in the sizes that bend its widths."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.suite import RTL_CONFIG
from fpsim.verify.units import UNIT_NAMES

pytestmark = pytest.mark.rtl

# The narrowest and the widest words, one format and two; and three formats, for the units that know formats.
NARROW = ArrayConfig(3, 5, UnitConfig(("e2m1", "int4"), acc_bits=9, guard_bits=0, hadamard_n=4))
WIDE = ArrayConfig(1, 2, UnitConfig(("e3m0",), acc_bits=40, guard_bits=8, hadamard_n=2))
THREE_FORMATS = ArrayConfig(5, 2, UnitConfig(("e3m0", "e1m2", "int4"), acc_bits=14, hadamard_n=8))
KNOW_FORMATS = ("decode", "mul", "mac", "mac_array", "quantizer")

# Least number of results compared in the usual configuration. The exhaustive ones are counts of what exists:
# codes × selectors; pairs of codes × pairs of formats, once first and once added; FP16 patterns × exponents.
LEAST = {
    "decode": {"exhaustive": 16 * 4},
    "mul": {"exhaustive": 256 * 16},
    "mac": {"exhaustive": 256 * 16 * 2, "random": 20_000},
    "mac_array": {"random": 10_000},
    "align": {"exhaustive": 65_536 * 9, "random": 50_000},
    "hadamard": {"exhaustive": 32 * 8 * 32, "random": 50_000},
    "amax": {"exhaustive": 32 * 60, "random": 5_000},
    "row_scale": {"exhaustive": 31 * 100, "random": 20_000},
    "quantizer": {"exhaustive": 4 * 8_000, "random": 50_000},
    "epilogue": {"random": 40_000},
    "fifo": {"exhaustive": 500, "random": 20_000},
    "skid": {"exhaustive": 100, "random": 20_000},
}


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_every_bit_is_the_laws(name: str) -> None:
    run = simulate(Job(name, RTL_CONFIG))
    assert set(run.vectors) == set(LEAST[name])
    for kind, least in LEAST[name].items():
        assert run.vectors[kind] >= least


@pytest.mark.parametrize("config", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("name", UNIT_NAMES)
def test_odd_sizes_compute_the_same_law(name: str, config: ArrayConfig) -> None:
    assert sum(simulate(Job(name, config, quick=True)).vectors.values()) > 0


@pytest.mark.parametrize("name", KNOW_FORMATS)
def test_some_formats_alone_compute_the_same_law(name: str) -> None:
    assert sum(simulate(Job(name, THREE_FORMATS, quick=True)).vectors.values()) > 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["mac_array", "quantizer", "epilogue"])
def test_another_seed_draws_other_vectors(name: str, seed: int) -> None:
    assert simulate(Job(name, RTL_CONFIG, kinds=("random",), seed=seed, quick=True)).vectors["random"] > 0
