"""fpsim_quantizer against fpsim.arith.quantizer: exact ties, saturation, A = 0, every small case."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import cocotb

from fpsim.arith.decode import decode
from fpsim.arith.quantizer import quantizer
from fpsim.array.config import OPERAND_FORMATS
from fpsim.verify.benches.align_tests import aligned_integers
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_golden_stream, check_stream, one_to_one
from fpsim.verify.mismatch import as_signed

ALIGN_EXPONENTS = (15, 30)
AMPLITUDE_STEP = 168  # of 2·l_7 of every format but E3M0, so that every threshold is met exactly


def law_of(bench: Bench) -> Law:
    """Integers to codes, lane by lane."""
    h_port, code_port = bench.unit.inputs[0], bench.unit.outputs[0]

    def law(seen: Words) -> Words:
        name = OPERAND_FORMATS[seen["fmt"]]
        lanes = (as_signed(h_port.lane(seen["h"], i), h_port.bits) for i in range(h_port.lanes))
        return {"codes": pack((quantizer(h, seen["amp"], name) for h in lanes), code_port.bits)}

    return law


def _beat(bench: Bench, lanes: list[int], amp: int, name: str) -> Beat:
    h_port = bench.unit.inputs[0]
    padded = lanes + [0] * (h_port.lanes - len(lanes))
    return Beat({"h": pack(padded, h_port.bits), "amp": amp, "fmt": OPERAND_FORMATS.index(name)})


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every small amplitude with every h from −2A − 2 to 2A + 2, in every format.

    Not quick: what align makes of every FP16 pattern too, under exponents that saturate, keep and drop bits.
    """
    bench = Bench(dut, "exhaustive")
    lanes = bench.unit.inputs[0].lanes

    def beats() -> Iterator[Beat]:
        for name in bench.config.unit.formats:
            for amp in range(bench.pick(65, 29)):
                values = list(range(-2 * amp - 2, 2 * amp + 3))
                for first in range(0, len(values), lanes):
                    yield _beat(bench, values[first : first + lanes], amp, name)
        for name in bench.config.unit.formats:  # every threshold and both sides of it
            levels = [decode(i, name).value for i in range(8)]
            middles = [2 * (levels[i] + levels[i + 1]) for i in range(7)]
            values = [sign * (h + off) for h in middles for off in (-1, 0, 1) for sign in (1, -1)]
            for first in range(0, len(values), lanes):
                yield _beat(bench, values[first : first + lanes], 4 * levels[7], name)
        for exp in () if bench.job.quick else ALIGN_EXPONENTS:
            values = aligned_integers(bench.config.unit.guard_bits, exp)
            amp = values[-1] - values[-1] % AMPLITUDE_STEP
            for name, first in product(bench.config.unit.formats, range(0, len(values), lanes)):
                yield _beat(bench, values[first : first + lanes], amp, name)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), stress=False)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random amplitudes; lanes at thresholds, beside them, at the extremes and anywhere."""
    bench = Bench(dut, "random")

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(2500, 500)):
            name = bench.rng.choice(bench.config.unit.formats)
            amp = _amplitude(bench, name)
            lanes = bench.unit.inputs[0].lanes
            yield _beat(bench, [_integer(bench, amp, name) for _ in range(lanes)], amp, name)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), cut=islice(beats(), 20))
    bench.finish()


def _amplitude(bench: Bench, name: str) -> int:
    """Any amplitude of the port; often a multiple of 2 · l_7, so that every threshold is an integer."""
    bits = bench.unit.inputs[1].bits
    largest = (1 << bench.rng.randint(0, bits)) - 1
    amp = bench.rng.randint(0, largest)
    step = 2 * decode(7, name).value
    return amp - amp % step if amp > step and bench.rng.random() < 0.6 else amp


def _integer(bench: Bench, amp: int, name: str) -> int:
    """An integer at or beside a threshold (l_i + l_(i+1)) · A / (2 · l_7), an extreme, or any."""
    rng = bench.rng
    low, high = -(1 << (bench.unit.inputs[0].bits - 1)), (1 << (bench.unit.inputs[0].bits - 1)) - 1
    kind = rng.random()
    if kind < 0.6:
        i = rng.randrange(7)
        levels = decode(i, name).value + decode(i + 1, name).value
        magnitude = levels * amp // (2 * decode(7, name).value) + rng.choice((-1, 0, 0, 0, 1))
        if rng.random() < 0.25:  # zeros at the end, so that the negation carries far, and still just below
            zeros = rng.randrange(bench.unit.inputs[0].bits - 1)
            magnitude = magnitude >> zeros << zeros
        value = magnitude * rng.choice((1, -1))
    elif kind < 0.7:
        value = rng.choice((low, high, 0, 1, -1, amp, -amp, amp + 1, 2 * amp))
    else:
        value = rng.randint(-amp - amp // 4, amp + amp // 4)
    return min(max(value, low), high)


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's rows at full speed."""
    bench = Bench(dut, "golden")
    await check_golden_stream(bench)
    bench.finish()
