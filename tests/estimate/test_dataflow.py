"""Cycles and words in closed form against a walk through the array, and our array's against the others'."""

from __future__ import annotations

import itertools

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.dataflow import (
    DATAFLOWS,
    Dataflow,
    Product,
    cycles,
    folds,
    machine_cycles,
    machine_offset,
    scale_sim_cycles,
    stream,
    utilization,
)
from fpsim.estimate.traffic import Sram, Traffic, Words, traffic
from tests.estimate.walk import Walk

SHAPES = [
    ((3, 5, 4), (2, 3)),
    ((4, 6, 6), (2, 3)),
    ((1, 7, 5), (3, 2)),
    ((5, 1, 9), (4, 4)),
    ((6, 4, 2), (1, 1)),
]
NIBBLES = [(1, 1), (2, 1), (1, 2), (2, 2)]


def _product(mnk: tuple[int, int, int], nibbles: tuple[int, int]) -> Product:
    return Product(*mnk, activation_bits=4 * nibbles[0], weight_bits=4 * nibbles[1])


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize(("mnk", "shape"), SHAPES)
@pytest.mark.parametrize("nibbles", NIBBLES)
def test_cycles_are_those_of_the_walk(
    dataflow: Dataflow, mnk: tuple[int, int, int], shape: tuple[int, int], nibbles: tuple[int, int]
) -> None:
    product = _product(mnk, nibbles)
    for overlap in (False, True):
        walk = Walk(dataflow, mnk, nibbles, shape, overlap=overlap)
        assert cycles(dataflow, product, *shape, overlap=overlap) == walk.cycles
        # It was a walk of this product: every product of nibbles once, none of padding.
        everything = itertools.product(*map(range, (*mnk, *nibbles)))
        assert walk.products == dict.fromkeys(everything, 1)
        assert 0 < utilization(product, *shape, walk.cycles) <= 1


def _words(walk: Walk, side: str) -> Words:
    cache = walk.caches[side]
    written = walk.writes["o"] if side == "o" else cache.fetched
    return Words(walk.registers[side], walk.reads[side], written, cache.fetched, cache.written_back)


@pytest.mark.parametrize("dataflow", DATAFLOWS)
@pytest.mark.parametrize(("mnk", "shape"), SHAPES)
@pytest.mark.parametrize("nibbles", NIBBLES)
def test_words_are_those_of_the_walk(
    dataflow: Dataflow, mnk: tuple[int, int, int], shape: tuple[int, int], nibbles: tuple[int, int]
) -> None:
    product, sizes = _product(mnk, nibbles), (None, 1, 2, 5, 7, 11, 13, 19, 24, 40)
    for size in sizes:
        walk = Walk(dataflow, mnk, nibbles, shape, (size,) * 3)
        found = traffic(dataflow, product, *shape, Sram(size, size, size))
        assert found == Traffic(*(_words(walk, side) for side in "awo")), size


def test_an_operand_that_fits_is_fetched_once() -> None:
    product = Product(40, 50, 37)
    for dataflow in DATAFLOWS:
        found = traffic(dataflow, product, 8, 16)
        assert (found.activation.dram_read, found.weight.dram_read) == (40 * 37, 50 * 37)
        assert (found.output.dram_read, found.output.dram_written) == (0, 40 * 50)
    tight = traffic("os", product, 8, 16, Sram(activation_words=40 * 37 - 1, weight_words=16 * 37))
    assert (tight.activation.dram_read, tight.weight.dram_read) == (4 * 40 * 37, 50 * 37)


def test_bits_are_words_times_their_width() -> None:
    product = Product(3, 5, 4, activation_bits=8)
    words = traffic("os", product, 2, 3)
    bits = words.bits(product, 26)
    assert bits.activation.sram_read == 4 * words.activation.sram_read == 4 * (2 * 3 * 4) * 2
    assert bits.activation.dram_read == 8 * words.activation.dram_read == 8 * 3 * 4
    assert bits.weight.sram_written == 4 * 5 * 4
    assert bits.output.dram_written == 26 * 3 * 5


@pytest.mark.parametrize(("mnk", "shape"), [*SHAPES, ((256, 1152, 1152), (32, 32))])
@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("cut", [True, False])
def test_what_our_array_takes_beyond_the_others_is_said(
    mnk: tuple[int, int, int], shape: tuple[int, int], overlap: bool, cut: bool
) -> None:
    config = ArrayConfig(*shape, UnitConfig(overlap=overlap, product_cut=cut))
    for nibbles in NIBBLES:
        product = _product(mnk, nibbles)
        difference = machine_cycles(product, config) - cycles("os", product, *shape)
        assert machine_offset(product, config) == difference


def test_one_tile_alone_is_two_registers_and_a_take_longer() -> None:
    product, config = Product(8, 16, 100), ArrayConfig(8, 16)
    assert scale_sim_cycles("os", product, 8, 16) == 100 + 8 + 16 - 3
    assert machine_cycles(product, config) == 100 + 8 + 16 + 1


def test_six_bits_are_two_nibbles() -> None:
    product = Product(4, 4, 4, activation_bits=6, weight_bits=8)
    assert (product.activation_nibbles, product.weight_nibbles, product.passes) == (2, 2, 4)
    assert stream("os", product) == 16
    assert folds("ws", product, 4, 4) == 2


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="m=0: expected an integer of at least 1"):
        Product(0, 1, 1)
    product = Product(1, 1, 1)
    with pytest.raises(ValueError, match="dataflow='rs': expected one of os, ws, is"):
        cycles("rs", product, 1, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rows=0"):
        traffic("os", product, 0, 1)
    with pytest.raises(ValueError, match="dataflow='rs'"):
        stream("rs", product)  # type: ignore[arg-type]
