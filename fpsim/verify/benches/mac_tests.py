"""fpsim_mac against fpsim.arith.mac: the register after every clock edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mac import mac
from fpsim.arith.mul import mul
from fpsim.verify.benches.harness import Bench, Words
from fpsim.verify.benches.mul_tests import operand_seen, operand_words, operands
from fpsim.verify.covergroups.operands import LONGEST_CLIMB, operand_pairs


class MacRegister:
    """The accumulator beside the unit's own, by the law; one beat behind with a register for the product."""

    def __init__(self, bench: Bench) -> None:
        self.acc = 0
        self._unit = bench.config.unit
        self._waiting: Words = {"en": 0}

    def outputs(self, seen: Words) -> Words:
        """What the unit shows before the clock edge."""
        return {"acc": self.acc & ((1 << self._unit.acc_bits) - 1)}

    def clock(self, seen: Words) -> None:
        """One clock edge with this on the input ports."""
        due, self._waiting = (self._waiting if self._unit.product_cut else seen), seen
        if due["en"]:
            self.acc = mac(
                self.acc,
                mul(operand_seen("a", due), operand_seen("b", due)),
                first=bool(due["first"]),
                # Without passes the pin does not count.
                shift=bool(due["shift"]) and self._unit.wide,
                acc_bits=self._unit.acc_bits,
                overflow=self._unit.overflow,
            )


async def _check(bench: Bench, beats: Iterable[Words]) -> None:
    """Clock the beats in after a reset; the law's register runs beside the unit's."""
    await bench.reset()
    register = MacRegister(bench)
    for index, words in enumerate(beats):
        bench.drive(words)
        await Timer(1, "ns")
        seen = bench.seen()
        await bench.edge()
        before = register.acc
        register.clock(seen)
        bench.compare(index, seen, register.outputs(seen), bench.outputs(), _register_before(before))


def _register_before(acc: int) -> Any:
    return lambda _: [("before", f"acc = {acc}")]


def _beat(a: Operand, b: Operand, *, first: bool, shift: bool = False, en: bool = True) -> Words:
    control = {"en": int(en), "first": int(first), "shift": int(shift)}
    return control | operand_words("a", a) | operand_words("b", b)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every product of two distinct operands as a first beat, added once more, added to 16 times that."""
    bench = Bench(dut, "exhaustive")
    unit = bench.config.unit
    distinct = tuple(dict.fromkeys(operands(unit)))  # formats share many
    pairs = ((a, b) for a in distinct for b in distinct)
    kinds = ((True, False), (False, False), (False, True))
    await _check(bench, (_beat(a, b, first=first, shift=shift) for a, b in pairs for first, shift in kinds))
    bench.finish()


@cocotb.test()
async def random(dut: Any) -> None:
    """Random beats with holes, climbs to large sums, overflow both ways; every pair of formats in each."""
    bench = Bench(dut, "random")
    await _check(bench, _random_beats(bench, bench.pick(20_000, 3_000)))
    await _check(bench, _climbing_beats(bench, bench.pick(6_000, 1_500)))
    await _check(bench, _overflowing_beats(bench))
    await _check(bench, _beats_of_every_pair(bench))
    bench.finish()


def _random_beats(bench: Bench, count: int) -> Iterator[Words]:
    rng = bench.rng
    known = list(operands(bench.config.unit))
    yield _beat(known[1], known[1], first=False, en=False)
    for _ in range(count):
        first, shift, en = rng.random() < 0.02, rng.random() < 0.02, rng.random() < 0.8
        yield _beat(rng.choice(known), rng.choice(known), first=first, shift=shift, en=en)


def _climbing_beats(bench: Bench, count: int) -> Iterator[Words]:
    """Products of any size but mostly of one sign: large sums with all kinds of low bits, so long carries."""
    known = list(operands(bench.config.unit))
    for negative in (False, True):
        for index in range(count):
            a, b = bench.rng.choice(known), bench.rng.choice(known)
            if (mul(a, b) < 0) != negative and bench.rng.random() < 0.9:
                a = a._replace(neg=not a.neg)
            if a in known:
                yield _beat(a, b, first=index == 0)


def _beats_of_every_pair(bench: Bench) -> Iterator[Words]:
    """Products of every sign of every pair of formats: held, and onto sums at both ends of the register."""
    unit = bench.config.unit
    top = (1 << unit.acc_bits - 1) - 1
    for operand_pair in operand_pairs(bench.config).values():
        pairs = sorted(operand_pair, key=lambda pair: mul(*pair))
        for a, b in (pairs[0], pairs[-1], *(pair for pair in pairs if not mul(*pair))):
            yield _beat(a, b, first=False, en=False)
        if not unit.wide:
            continue
        for end, (a, b) in ((top, pairs[-1]), (-top - 1, pairs[0])):
            for shift in (False, True):
                yield from _load(end, unit.acc_bits)
                yield _beat(a, b, first=False, shift=shift)
    if unit.wide:  # 16 · −1 + 16
        yield from _load(-1, unit.acc_bits)
        yield _beat(decode(4, "int4"), decode(4, "int4"), first=False, shift=True)


def _load(value: int, acc_bits: int) -> Iterator[Words]:
    """Beats that leave any number: its nibbles from the highest, as passes have them, times 1."""
    one = decode(1, "int4")
    nibbles = [value >> 4 * place & 15 for place in reversed(range((acc_bits + 3) // 4))]
    yield _beat(decode(nibbles[0], "int4"), one, first=True)
    for nibble in nibbles[1:]:
        yield _beat(decode(nibble, "int4", low=True), one, first=False, shift=True)


def _overflowing_beats(bench: Bench) -> Iterator[Words]:
    """Beyond either end of the register, and back from there."""
    known = sorted(operands(bench.config.unit), key=lambda operand: operand.value)
    lowest, highest = known[0], known[-1]
    for a, b in ((lowest, lowest), (lowest, highest)):
        beats = (1 << (bench.config.unit.acc_bits - 1)) // abs(mul(a, b)) + 2
        if beats <= LONGEST_CLIMB:
            yield from (_beat(a, b, first=i == 0) for i in range(beats))
            back = highest if a is b else lowest
            yield from (_beat(lowest, back, first=False) for _ in range(3))
