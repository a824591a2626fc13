"""fpsim_mac_float against fpsim.arith.mac_float: the register after every clock edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.arith.decode import Operand
from fpsim.arith.mac_float import mac_float
from fpsim.arith.mul import mul
from fpsim.arith.number import floor_log2
from fpsim.array.config import UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.verify.benches.harness import Bench, Words
from fpsim.verify.benches.mul_tests import operand_seen, operand_words, operands
from fpsim.verify.covergroups.operands import operand_pairs
from fpsim.verify.mismatch import as_signed

LOWEST_UNIT, HIGHEST_UNIT = -128, 127
WIDEST_SIG = 7  # of E1M2; a product's significand then has every width up to 6 bits
MOST_CODES = 64  # an accumulator with no more codes than this is driven from each of them
BITS_BELOW = 3  # places below the smallest step that a product's top bit comes down to


class MacFloat:
    """The unit's inputs, as beats.

    Attributes:
        float_acc: what the sum is.
        known: one operand for each signed value of the formats that are built in; +0 and −0 are two.
    """

    def __init__(self, bench: Bench) -> None:
        self.rng = bench.rng
        self.float_acc: FloatAccumulator = bench.config.unit.float_acc
        self.fmt = self.float_acc.fmt
        self.known = _distinct(bench.config.unit)
        self.one = next(operand for operand in self.known if operand.value == 1)
        self.minus_one = next(operand for operand in self.known if operand.value == -1)
        self.lowest = floor_log2(self.fmt.step)  # exponent of the smallest step

    def beat(self, a: Operand, b: Operand, unit_exp: int, *, first: bool = False, en: bool = True) -> Words:
        """One beat; random bits are drawn."""
        unit = min(max(unit_exp, LOWEST_UNIT), HIGHEST_UNIT) & 0xFF
        control = {"en": int(en), "first": int(first), "unit_exp": unit}
        control["random"] = self.rng.getrandbits(max(self.float_acc.random_bits, 1))
        return control | operand_words("a", a) | operand_words("b", b)

    def load(self, value: Fraction) -> list[Words]:
        """Beats that leave a finite value: one, or bit by bit from the top; nothing is rounded."""
        steps = int(abs(value) / self.fmt.step)
        sign = self.minus_one if value < 0 else self.one
        power = (steps & -steps).bit_length() - 1
        for operand in self.known:
            if steps and operand.value == steps >> power:
                return [self.beat(operand, sign, self.lowest + power, first=True)]
        return self.bits(value)

    def bits(self, value: Fraction) -> list[Words]:
        """Beats that load a finite value bit by bit from the top."""
        steps = int(abs(value) / self.fmt.step)
        sign = self.minus_one if value < 0 else self.one
        places = [i for i in reversed(range(steps.bit_length())) if steps >> i & 1]
        beats = [self.beat(sign, self.one, self.lowest + i, first=j == 0) for j, i in enumerate(places)]
        return beats or [self.beat(self._zero(), self.one, 0, first=True)]

    def load_special(self, code: int) -> list[Words]:
        """Beats that leave −0, or an infinity where overflow makes one."""
        negative = bool(code & self.fmt.n_codes // 2)
        sign = self.minus_one if negative else self.one
        if code & self.fmt.magnitude_mask:
            return [self.beat(sign, self.one, HIGHEST_UNIT, first=True)]
        return [self.beat(self.minus_one, self.one, LOWEST_UNIT, first=True)]

    def code(self) -> int:
        """A finite code: any, a small one, a power of two or beside one, or the largest."""
        fmt, rng = self.fmt, self.rng
        top = fmt.max_magnitude_code
        near_power = (rng.randrange(1 << fmt.exp_bits) << fmt.man_bits) + rng.choice((-1, 0, 1))
        small = rng.randrange(4 << fmt.man_bits)
        magnitude = rng.choice((rng.randint(0, top), small, near_power, top, top - 1))
        return min(max(magnitude, 0), top) | rng.getrandbits(1) * (fmt.n_codes // 2)

    def _zero(self) -> Operand:
        return next(operand for operand in self.known if operand.sig == 0 and not operand.neg)


def _distinct(config: UnitConfig) -> list[Operand]:
    found = {(operand.neg, operand.value): operand for operand in operands(config)}
    return list(found.values())


class FloatRegister:
    """The sum beside the unit's own, by the law.

    Attributes:
        acc: its code.
    """

    def __init__(self, bench: Bench) -> None:
        self.acc = 0
        self._bits = bench.config.unit.float_acc.random_bits
        self._add = cache(partial(_sum, bench.config.unit.float_acc))

    def outputs(self, seen: Words) -> Words:
        """What the unit shows before the clock edge."""
        return {"acc": self.acc}

    def clock(self, seen: Words) -> None:
        """One clock edge with this on the input ports."""
        if seen["en"]:
            unit_exp, drawn = as_signed(seen["unit_exp"], 8), seen["random"] if self._bits else 0
            a, b = operand_seen("a", seen), operand_seen("b", seen)
            self.acc = self._add(self.acc, a, b, unit_exp, bool(seen["first"]), drawn)


def _sum(
    float_acc: FloatAccumulator, acc: int, a: Operand, b: Operand, unit_exp: int, first: bool, drawn: int
) -> int:
    bits, accumulator = float_acc.random_bits, float_acc.accumulator
    random_bits = (drawn, bits) if bits else None
    return mac_float(acc, a, b, unit_exp, first=first, accumulator=accumulator, random_bits=random_bits)


async def _check(bench: Bench, beats: Iterable[Words]) -> set[int]:
    """Clock the beats in after a reset, the law's register beside the unit's; all that the register held."""
    await bench.reset()
    register, held, driven = FloatRegister(bench), {0}, Words()
    for index, words in enumerate(beats):
        # Half of the time is spent on pins, so only those that change are driven, and none is read back.
        bench.drive({name: word for name, word in words.items() if driven.get(name) != word})
        driven = words
        await Timer(1, "ns")
        await bench.edge()
        before = register.acc
        register.clock(words)
        held.add(register.acc)
        bench.compare(index, words, register.outputs(words), bench.outputs(), _register_before(before))
    return held


def _register_before(acc: int) -> Any:
    return lambda _: [("before", f"acc = {acc:#x}")]


def _finite_codes(unit: MacFloat) -> Iterator[int]:
    """Every finite code but −0."""
    largest, negative = unit.fmt.max_magnitude_code, unit.fmt.n_codes // 2
    yield from range(largest + 1)
    yield from range(negative + 1, negative + largest + 1)


def _terms(unit: MacFloat) -> list[tuple[Operand, Operand, int]]:
    """A product and a unit for every number from an eighth of the smallest step to beyond the largest.

    Zeros and one number far below the smallest step are among them, with both signs.
    """
    terms = {
        sign: (unit.one, operand, LOWEST_UNIT) for sign, operand in enumerate((unit.one, unit.minus_one))
    }
    found: dict[tuple[bool, Fraction], tuple[Operand, Operand, int]] = {}
    least = unit.fmt.step / (1 << BITS_BELOW)
    narrow = [operand for operand in unit.known if operand.sig <= WIDEST_SIG]
    for a in narrow:
        for b in narrow:
            size = abs(a.value * b.value)
            places = range(unit.lowest - BITS_BELOW - 5, floor_log2(unit.fmt.max_value) + 3) if size else (0,)
            for place in places:
                value = size * Fraction(2) ** place
                if not size or least <= value <= 2 * unit.fmt.max_value:
                    found.setdefault((a.neg != b.neg, value), (a, b, place))
    return [*terms.values(), *found.values()]


def _from_every_code(unit: MacFloat) -> Iterator[Words]:
    """Every product added to every number that the register can hold."""
    negative = unit.fmt.n_codes // 2
    loads = [unit.load(Fraction(unit.fmt.value(code))) for code in _finite_codes(unit)]
    special = [negative]
    if unit.fmt.has_inf:
        special += [unit.fmt.max_magnitude_code + 1, negative + unit.fmt.max_magnitude_code + 1]
    loads += [unit.load_special(code) for code in special]
    for term in _terms(unit):
        for load in loads:
            yield from load
            yield unit.beat(*term)


def _every_pair(unit: MacFloat, config: UnitConfig) -> Iterator[Words]:
    """Every pair of codes as a first beat, then added once more."""
    for a in operands(config):
        for b in operands(config):
            yield unit.beat(a, b, -2, first=True)
            yield unit.beat(a, b, -3)


@cocotb.test()
async def exhaustive(dut: Any) -> None:
    """Every product onto every sum of a small accumulator; for others, or in a hurry, every pair."""
    bench = Bench(dut, "exhaustive")
    unit = MacFloat(bench)
    complete = unit.fmt.n_codes <= MOST_CODES and not bench.job.quick
    held = await _check(bench, _from_every_code(unit) if complete else _every_pair(unit, bench.config.unit))
    bench.finish(**({"codes": len(held)} if complete else {}))


def _structured(unit: MacFloat) -> Iterator[Words]:
    """A loaded sum, then a product beside its last place, at its size, far off, or one that cancels it."""
    rng = unit.rng
    value = Fraction(unit.fmt.value(unit.code()))
    yield from unit.load(value)
    lowest = unit.lowest
    top = max(floor_log2(abs(value)), lowest + unit.fmt.man_bits) if value else lowest + unit.fmt.man_bits
    for _ in range(rng.randint(1, 4)):
        place = rng.choice((top - unit.fmt.man_bits - 1, top, lowest, rng.randint(lowest - 4, top + 4)))
        place -= rng.choice((0, 0, 1, 2, 3, 6, 12))
        if rng.random() < 0.05:
            place = rng.randint(LOWEST_UNIT, HIGHEST_UNIT)
        yield unit.beat(rng.choice(unit.known), rng.choice(unit.known), place)
    if rng.random() < 0.3:
        yield from _cancel(unit, value)


def _cancel(unit: MacFloat, value: Fraction) -> Iterator[Words]:
    """The sum's own bits with the other sign, the last one changed or not: exactly 0, or one step."""
    yield from unit.load(value)
    beats = unit.bits(-value)
    yield from (beat | {"first": 0} for beat in beats[: -1 if unit.rng.random() < 0.3 else None])
    yield unit.beat(unit.rng.choice(unit.known), unit.one, unit.lowest)


def _ordinary(unit: MacFloat, count: int) -> Iterator[Words]:
    """Sums as layers have them, with holes."""
    rng, place = unit.rng, -2
    for _ in range(count):
        first, en = rng.random() < 0.02, rng.random() < 0.8
        place = rng.randint(-6, 0) if first else place
        yield unit.beat(rng.choice(unit.known), rng.choice(unit.known), place, first=first, en=en)


@cocotb.test()
async def random(dut: Any) -> None:
    """Ordinary sums, then structured ones, and overflow to both sides."""
    bench = Bench(dut, "random")
    unit = MacFloat(bench)
    await _check(bench, _ordinary(unit, bench.pick(2_000, 600)))
    rounds = bench.pick(600, 150)
    await _check(bench, (beat for _ in range(rounds) for beat in _structured(unit)))
    await _check(bench, _overflows(unit))
    await _check(bench, _every_pair_held_and_beyond(unit, bench))
    await _check(bench, _quarters(unit))
    bench.finish()


def _quarters(unit: MacFloat) -> Iterator[Words]:
    """Quarters of the last place of 1, beside the even 1 and its odd neighbour, of both signs."""
    last = -unit.fmt.man_bits
    largest = max((operand for operand in unit.known if operand.sig == 3), default=unit.one)  # 3 quarters
    for sign, odd in product((1, -1), (0, 1)):
        for a, place in ((unit.one, last - 2), (unit.one, last - 1), (largest, last - 2 - largest.shift)):
            yield from unit.load(sign * (1 + odd * Fraction(2) ** last))
            yield unit.beat(a, unit.minus_one if sign < 0 else unit.one, place)


def _every_pair_held_and_beyond(unit: MacFloat, bench: Bench) -> Iterator[Words]:
    """Of every pair of formats: overflow to both sides, then held beats with products of every sign.

    What is held is an overflowed sum, the smallest number of either sign, and what is left of half of it.
    """
    smallest = unit.fmt.step
    loads = [unit.load(smallest), unit.load(-smallest)]
    loads += [[unit.beat(sign, unit.one, unit.lowest - 2, first=True)] for sign in (unit.one, unit.minus_one)]
    for number, found in enumerate(operand_pairs(bench.config).values()):
        pairs = sorted(found, key=lambda pair: mul(*pair))
        ends = (pairs[0], pairs[-1])
        held = [unit.beat(*pair, 0, en=False) for pair in (*ends, *(p for p in pairs if not mul(*p)))]
        for pair in ends:
            yield unit.beat(*pair, HIGHEST_UNIT, first=True)
            yield unit.beat(*pair, HIGHEST_UNIT)
            yield from held
        yield from loads[number % len(loads)]
        yield from held


def _overflows(unit: MacFloat) -> Iterator[Words]:
    """From the largest number by half a step, just less, a whole one, the largest product; and back."""
    last = floor_log2(unit.fmt.max_value) - unit.fmt.man_bits
    numbers = sorted(unit.known, key=lambda operand: operand.value)
    for sign in (1, -1):
        toward, away = (unit.one, unit.minus_one)[::sign]
        for place in (last - 3, last - 2, last - 1, last, HIGHEST_UNIT):
            yield from unit.load(sign * unit.fmt.max_value)
            yield unit.beat(toward, unit.one, place)
            yield unit.beat(toward, numbers[-1], place)
            yield unit.beat(away, numbers[-1], place)
            yield unit.beat(away, unit.one, place)
