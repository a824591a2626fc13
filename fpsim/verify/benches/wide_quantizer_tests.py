"""fpsim_wide_quantizer against the laws of all six formats: ties, thresholds, zero points, random bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import cocotb

from fpsim.arith.decode import decode
from fpsim.arith.integer_quantizer import integer_quantizer
from fpsim.arith.quantizer import quantizer
from fpsim.arith.stochastic_quantizer import stochastic_quantizer
from fpsim.formats import get
from fpsim.verify.benches.align_tests import aligned_integers
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_stream, measure, one_to_one
from fpsim.verify.mismatch import as_signed
from fpsim.verify.sv_row_package import QUANTIZER_FORMATS

INTEGERS = ("int4", "int6", "int8")
ALIGN_EXPONENT = 30
CYCLES_PER_ROW = 18  # at most: 9 and the random bits


def _code(h: int, amp: int, name: str, zero: int | None, random_bits: tuple[int, int] | None) -> int:
    """The code of one integer, as 8 bits in two's complement; a sign-magnitude one as it is."""
    if random_bits is not None:
        code = stochastic_quantizer(h, amp, name, random_bits, zero)
    elif name in INTEGERS:
        code = integer_quantizer(h, amp, name, zero)
    else:
        code = quantizer(h, amp, name)
    return as_signed(code, get(name).bits) & 255 if name in INTEGERS else code


def law_of(bench: Bench) -> Law:
    """Integers to codes of one of six formats, as two nibbles, lane by lane."""
    h_port, random_port = bench.unit.inputs[0], bench.unit.inputs[6]

    def law(seen: Words) -> Words:
        name = QUANTIZER_FORMATS[seen["format"]]
        zero = as_signed(seen["zero"], 8) if seen["asymmetric"] else None
        codes = []
        for i in range(h_port.lanes):
            h = as_signed(h_port.lane(seen["h"], i), h_port.bits)
            draw = (random_port.lane(seen["random"], i), random_port.bits) if seen["stochastic"] else None
            codes.append(_code(h, seen["amp"], name, zero, draw))
        return {"high": pack((code >> 4 for code in codes), 4), "low": pack((code & 15 for code in codes), 4)}

    return law


def _beat(bench: Bench, lanes: list[int], amp: int, name: str, *, zero: int | None, stochastic: bool) -> Beat:
    h_port, random_port = bench.unit.inputs[0], bench.unit.inputs[6]
    padded = lanes + [0] * (h_port.lanes - len(lanes))
    unused = bench.rng.getrandbits(8)  # a zero point that must not matter
    return Beat(
        {
            "h": pack(padded, h_port.bits),
            "amp": amp,
            "format": QUANTIZER_FORMATS.index(name),
            "asymmetric": int(zero is not None),
            "zero": unused if zero is None else zero & 255,
            "stochastic": int(stochastic),
            "random": bench.rng.getrandbits(random_port.width),
        }
    )


def _corners(bench: Bench) -> Iterator[Beat]:
    """Quarters of steps of either sign, magnitudes about the amplitude, amplitude 0: in every mode."""
    lanes, repeats = bench.unit.inputs[0].lanes, 4  # random bits differ
    for name in QUANTIZER_FORMATS:
        half = get(name).n_codes // 2
        for zero in (None, -half, -3, half - 1) if name in INTEGERS else (None,):
            amp = 4 * _top(name, zero)
            values = [*range(-9, 10), *(sign * (amp + off) for sign in (1, -1) for off in (-1, 0, 1))]
            for stochastic in (False, *[True] * repeats):
                for first in range(0, len(values), lanes):
                    part = values[first : first + lanes]
                    yield _beat(bench, part, amp, name, zero=zero, stochastic=stochastic)
                yield _beat(bench, [0, 1, -1][:lanes], 0, name, zero=zero, stochastic=stochastic)
    for gap in range(2 * CYCLES_PER_ROW):  # while the row before is being divided, or just after
        yield replace(_beat(bench, [1], 2, "int4", zero=None, stochastic=False), gap=gap)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every small amplitude with every h from −A − 2 to A + 2, nearest, in every format.

    Then quarters of steps in every mode, the largest magnitudes and amplitude 0.

    Not quick: what align makes of every FP16 pattern too, integers with a zero point as well.
    """
    bench = Bench(dut, "exhaustive")
    lanes = bench.unit.inputs[0].lanes

    def beats() -> Iterator[Beat]:
        for name in QUANTIZER_FORMATS:
            for amp in range(bench.pick(33, 17)):
                values = list(range(-amp - 2, amp + 3))
                for first in range(0, len(values), lanes):
                    part = values[first : first + lanes]
                    yield _beat(bench, part, amp, name, zero=None, stochastic=False)
        yield from _corners(bench)
        if bench.job.quick:
            return
        values = aligned_integers(bench.config.unit.guard_bits, ALIGN_EXPONENT)
        for name, zero in ((name, zero) for name in QUANTIZER_FORMATS for zero in (None, -3)):
            if zero is None or name in INTEGERS:
                amp = values[-1] - values[-1] % (2 * _top(name, zero))
                for first in range(0, len(values), lanes):
                    part = values[first : first + lanes]
                    yield _beat(bench, part, amp, name, zero=zero, stochastic=False)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), stress=False)
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random amplitudes, zero points, random bits; lanes at ties, beside them, at the extremes, anywhere."""
    bench = Bench(dut, "random")
    rng = bench.rng

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(2000, 300)):
            name = rng.choice(QUANTIZER_FORMATS)
            half = get(name).n_codes // 2
            zero = rng.randrange(-half, half) if name in INTEGERS and rng.random() < 0.5 else None
            steps = _top(name, zero)
            amp = _amplitude(bench, steps)
            lanes = [_integer(bench, amp, steps, name) for _ in range(bench.unit.inputs[0].lanes)]
            yield _beat(bench, lanes, amp, name, zero=zero, stochastic=rng.random() < 0.5)

    await check_stream(bench, one_to_one(law_of(bench)), beats(), cut=islice(beats(), 3))
    one = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 1))
    two = await measure(bench, one_to_one(law_of(bench)), islice(beats(), 2))
    bench.finish(one=one, two=two)


def _top(name: str, zero: int | None) -> int:
    """What the amplitude maps to, in steps."""
    if name not in INTEGERS:
        return decode(7, name).value
    return get(name).n_codes // 2 - 1 if zero is None else get(name).n_codes - 1


def _amplitude(bench: Bench, steps: int) -> int:
    """Any amplitude of the port; often a multiple of 2 · steps, so that every tie is an integer."""
    bits = bench.unit.inputs[1].bits
    amp = bench.rng.randint(0, (1 << bench.rng.randint(0, bits)) - 1)
    return amp - amp % (2 * steps) if amp > 2 * steps and bench.rng.random() < 0.6 else amp


def _integer(bench: Bench, amp: int, steps: int, name: str) -> int:
    """An integer at or beside a level or a middle of two, an extreme, or any."""
    rng, bits = bench.rng, bench.unit.inputs[0].bits
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    kind = rng.random()
    if kind < 0.5:
        if name in INTEGERS:
            halves = rng.randrange(2 * steps + 1)
        else:
            i = rng.randrange(7)
            halves = decode(i, name).value + decode(rng.choice((i, i + 1)), name).value
        value = (halves * amp // (2 * steps) + rng.choice((-1, 0, 0, 0, 1))) * rng.choice((1, -1))
    elif kind < 0.6:
        value = rng.choice((low, high, 0, 1, -1, amp, -amp, amp - 1, amp + 1))
    else:
        value = rng.randint(-amp - amp // 8, amp + amp // 8)
    return min(max(value, low), high)
