"""fpsim_align against fpsim.arith.align: every FP16 pattern, every kind of row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import cocotb

from fpsim.arith.align import MAX_EFFECTIVE_EXPONENT, align
from fpsim.verify.benches.harness import Bench, Law, Words, pack

FP16_CODES = 1 << 16
SIGNIFICAND_BITS = 11
STATIC_EXPONENTS = (1, 2, 11, 14, 15, 16, 22, 29, 30)
STATIC_EXPONENTS_QUICK = (15, 1, 30)
FEW_LANES = 8  # a unit with fewer takes so many steps for all patterns that one exponent must do when quick


def aligned_integers(guard_bits: int, exp: int) -> list[int]:
    """Every integer that some FP16 pattern becomes under a static exponent, ascending."""
    return sorted(set(align(range(FP16_CODES), guard_bits, exp).ints))


def law_of(bench: Bench) -> Law:
    """Row of FP16 to integers under one exponent: the beat's own, or the port's."""
    x_port = bench.unit.inputs[0]
    int_port = bench.unit.outputs[0]
    guard_bits = bench.config.unit.guard_bits

    def law(seen: Words) -> Words:
        row = [x_port.lane(seen["x"], i) for i in range(x_port.lanes)]
        dynamic = align(row, guard_bits)
        # 31 is no static exponent: only a row with an infinity or a NaN has it.
        chosen = dynamic if seen["exp"] == dynamic.exp else align(row, guard_bits, seen["exp"])
        return {
            "int": pack(chosen.ints, int_port.bits),
            "exp_max": dynamic.exp,
            "special": int(dynamic.special),
        }

    return law


def _exponent(bits: int) -> int:
    return max(bits >> 10 & 31, 1)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """All 65,536 FP16 patterns, aligned to several static exponents."""
    bench = Bench(dut, "exhaustive")
    lanes = bench.unit.inputs[0].lanes
    quick = STATIC_EXPONENTS_QUICK[: 1 if lanes < FEW_LANES else None]

    def vectors() -> Iterator[Words]:
        for exp in quick if bench.job.quick else STATIC_EXPONENTS:
            for first in range(0, FP16_CODES, lanes):
                yield {"x": pack(range(first, first + lanes), 16), "exp": exp}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Rows with their own exponent: narrow and wide, ties at the last kept bit, infinities, NaNs."""
    bench = Bench(dut, "random")

    def vectors() -> Iterator[Words]:
        yield from _corners(bench)
        yield from _above_ties(bench)
        for _ in range(bench.pick(3000, 400)):
            row = _row(bench)
            exp = max(_exponent(bits) for bits in row)
            if bench.rng.random() < 0.2:
                exp = bench.rng.randint(1, MAX_EFFECTIVE_EXPONENT)
            yield {"x": pack(row, 16), "exp": exp}

    await bench.check_combinational(vectors(), law_of(bench))
    bench.finish()


def _corners(bench: Bench) -> Iterator[Words]:
    """Every rounding case of subnormal and normal numbers, and 0, Inf, NaN.

    The exponent is the row's, above it, and below it: the last lane sees to that.
    """
    port, guard_bits = bench.unit.inputs[0], bench.config.unit.guard_bits
    cases = [(0, 0, 1), (31, 0, 1), (31, 1, 1)]
    cases += [(field, man, guard_bits + cut) for field in (0, 5) for man in range(1, 8) for cut in (0, 1, 2)]
    for (field, man, dropped), sign in product(cases, (0, 1)):
        exp = min(max(field, 1) + dropped, MAX_EFFECTIVE_EXPONENT)
        for last in (exp, 0, exp + 1, MAX_EFFECTIVE_EXPONENT + 1):
            row = [sign << 15 | field << 10 | man] + [0] * (port.lanes - 2) + [last << 10]
            yield {"x": pack(row, 16), "exp": exp}


def _above_ties(bench: Bench) -> Iterator[Words]:
    """A tie with one single bit below it, at every distance and every place: what alone makes it round up."""
    port, guard_bits = bench.unit.inputs[0], bench.config.unit.guard_bits
    for field, dropped in product((0, 5), range(2, SIGNIFICAND_BITS + 1)):
        exp = max(field, 1) + guard_bits + dropped
        for place in range(dropped - 1):
            man = (1 << dropped - 1 | 1 << place) & (1 << SIGNIFICAND_BITS - 1) - 1
            if exp <= MAX_EFFECTIVE_EXPONENT:
                yield {"x": pack([field << 10 | man] * port.lanes, 16), "exp": exp}


def _row(bench: Bench) -> list[int]:
    rng = bench.rng
    lanes, guard_bits = bench.unit.inputs[0].lanes, bench.config.unit.guard_bits
    top = rng.randint(0, MAX_EFFECTIVE_EXPONENT)
    spread = rng.choice((0, 1, guard_bits + 1, guard_bits + 12, MAX_EFFECTIVE_EXPONENT))
    row = []
    for _ in range(lanes):
        field = rng.randint(max(top - spread, 0), top)
        dropped = max(max(top, 1) - max(field, 1) - guard_bits, 0)
        significand = rng.getrandbits(10)
        if 0 < dropped <= 10 and rng.random() < 0.5:  # a tie, or one unit beside it
            significand = (significand >> dropped << dropped) + (1 << dropped - 1) + rng.choice((-1, 0, 1))
        row.append(rng.getrandbits(1) << 15 | field << 10 | significand & 1023)
    if rng.random() < 0.1:
        row[rng.randrange(lanes)] = rng.choice((0x7C00, 0xFC00, 0x7C01, 0x7E00, 0xFFFF))
    return row


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's rows."""
    bench = Bench(dut, "golden")
    await bench.check_golden_combinational()
    bench.finish()
