"""fpsim_zero_point against fpsim.arith.integer_quantizer: rows of every small range, ties, wide rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import cocotb

from fpsim.arith.integer_quantizer import zero_point
from fpsim.arith.row_scale import amplitude
from fpsim.verify.benches.harness import Bench, Law, Words
from fpsim.verify.benches.stream import Beat, check_stream, measure, one_to_one
from fpsim.verify.mismatch import as_signed
from fpsim.verify.sv_row_package import QUANTIZER_FORMATS

INTEGERS = QUANTIZER_FORMATS[3:]
CYCLES_PER_ROW = 10


def law_of(bench: Bench) -> Law:
    """The zero point of a row's range."""
    bits = bench.unit.inputs[0].bits

    def law(seen: Words) -> Words:
        name = QUANTIZER_FORMATS[seen["format"]]
        low = as_signed(seen["low"], bits) if seen["span"] else 0  # of a span of 0 the contract asks no more
        return {"zero": zero_point(low, seen["span"], name) & 255}

    return law


def _beat(bench: Bench, low: int, high: int, name: str) -> Beat:
    mask = (1 << bench.unit.inputs[0].bits) - 1
    words = {"low": low & mask, "span": amplitude(high - low), "format": QUANTIZER_FORMATS.index(name)}
    return Beat(words)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every small range in every format; a span of 0, whatever the lowest is; rows that come late."""
    bench = Bench(dut, "exhaustive")
    last, bits = bench.pick(32, 14), bench.unit.inputs[0].bits

    def beats() -> Iterator[Beat]:
        for name in INTEGERS:
            for low in range(last):
                yield from (_beat(bench, -low, high, name) for high in range(last))
            for place in range(bits):
                yield Beat({**_beat(bench, -1 << place, 0, name).words, "span": 0})
        for gap in range(2 * CYCLES_PER_ROW):
            yield replace(_beat(bench, -1, 2, INTEGERS[0]), gap=gap)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), stress=False)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Ranges of any size, all negative ones, spans that make ties; gaps and back-pressure."""
    bench = Bench(dut, "random")
    rng = bench.rng
    top = 1 << (bench.unit.inputs[0].bits - 1)

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(2500, 400)):
            name = rng.choice(INTEGERS)
            limit = 1 << rng.randint(0, top.bit_length() - 1)
            low, high = rng.randint(0, limit), rng.randint(0, limit - 1)
            if rng.random() < 0.2:
                high = 0
            elif rng.random() < 0.4:  # (2^b - 1) * low / span in halves
                steps = (1 << int(name[3:])) - 1
                span = 2 * steps * max(limit // (2 * steps), 1)
                low = span * rng.randrange(2 * steps + 1) // (2 * steps)
                high = span - low
            yield _beat(bench, -min(low, top), min(high, top - 1), name)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), cut=islice(beats(), 3))
    one = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 1))
    two = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 2))
    bench.finish(one=one, two=two)
