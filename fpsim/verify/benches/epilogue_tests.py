"""fpsim_epilogue against fpsim.arith.epilogue: ties, cancellation, subnormals, overflow, random bits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, product
from typing import Any

import cocotb

from fpsim.arith.epilogue import epilogue
from fpsim.formats import get
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_golden_stream, check_stream, one_to_one
from fpsim.verify.mismatch import as_signed

TF32_BIAS, TF32_MAN = 127, 10
NORMAL_EXPONENTS = range(1, 255)
Lane = tuple[int, int, int]  # acc, column scale bits, bias bits


def law_of(bench: Bench) -> Law:
    """Accumulators to FP16, lane by lane."""
    acc_port, _, col_port, bias_port = bench.unit.inputs

    def law(seen: Words) -> Words:
        lanes = (
            epilogue(
                as_signed(acc_port.lane(seen["acc"], i), acc_port.bits),
                seen["row_scale"],
                col_port.lane(seen["col_scale"], i),
                bias_port.lane(seen["bias"], i),
            )
            for i in range(acc_port.lanes)
        )
        return {"y": pack(lanes, 16)}

    return law


class LaneMaker:
    """Lanes of one beat, which share a row scale."""

    def __init__(self, bench: Bench) -> None:
        self.rng = bench.rng
        self.acc_bits = bench.config.unit.acc_bits
        plain = self.rng.random() < 0.6  # a power of two: then the product's bits are the accumulator's
        significand = 0 if plain else self.rng.getrandbits(TF32_MAN)
        exponents = NORMAL_EXPONENTS if self.rng.random() < 0.1 else range(60, 190)
        self.row_scale = self.rng.choice(exponents) << TF32_MAN | significand

    def acc(self, bits: int) -> int:
        """A random signed accumulator of at most so many bits."""
        bits = min(bits, self.acc_bits - 1)
        return self.rng.randint(-(1 << bits) + 1, (1 << bits) - 1)

    def bias(self) -> int:
        """Any finite FP16 bits."""
        return self.rng.getrandbits(1) << 15 | self.rng.randint(0, 0x7BFF)

    def column(self, power: int, significand: int = 0) -> int:
        """The column scale that makes acc · ρ · c worth acc · 2^power where both significands are 0."""
        exponent = power + 2 * TF32_BIAS - (self.row_scale >> TF32_MAN)
        return min(max(exponent, 1), 254) << TF32_MAN | significand

    def anything(self) -> Lane:
        """Random bits in every field: mostly overflow, underflow, or the bias alone."""
        column = self.rng.choice(NORMAL_EXPONENTS) << TF32_MAN | self.rng.getrandbits(TF32_MAN)
        return self.acc(self.rng.randint(0, self.acc_bits)), column, self.bias()

    def in_range(self) -> Lane:
        """A product from below half the smallest subnormal to above the largest number, random bits."""
        acc = self.acc(self.rng.randint(1, self.acc_bits))
        power = self.rng.randint(-27, 17) - acc.bit_length()
        bias = self.rng.choice((0, 0x8000, self.bias()))
        return acc, self.column(power, self.rng.getrandbits(TF32_MAN)), bias

    def tie(self) -> Lane:
        """A product halfway between two FP16 numbers, or so with a bias of one subnormal step."""
        subnormal = self.rng.random() < 0.4 or self.acc_bits < 13
        bits = self.rng.randint(1, min(10, self.acc_bits - 2)) if subnormal else 11
        acc = (self.rng.getrandbits(bits) | 1 << bits - 1) << 1 | 1
        power = -25 if subnormal else self.rng.randint(-25, 4)
        bias = self.rng.choice((0, 0, 0x8000, 1, 0x8001))
        return acc * self.rng.choice((-1, 1)), self.column(power), bias

    def beside_tie(self) -> Lane:
        """A tie with far lower bits set: the exact sum is just above or below it."""
        extra = self.acc_bits - 14
        if extra < 1:
            return self.tie()
        acc = ((self.rng.getrandbits(11) | 1024) << 1 | 1) << extra
        acc += self.rng.choice((-1, 0, 1))
        return acc * self.rng.choice((-1, 1)), self.column(self.rng.randint(-25, 4) - extra), 0

    def cancelled(self) -> Lane:
        """A bias that the product takes away: to exactly 0, or to one unit of the accumulator."""
        bias = self.bias()
        exponent, field = max(bias >> 10 & 31, 1), bias >> 10 & 31
        significand = bias & 1023 | (1024 if field else 0)
        room = max(self.acc_bits - 1 - 11, 0)
        shift = self.rng.randint(0, room)
        acc = significand << shift
        if self.acc_bits - 1 < acc.bit_length():
            return self.in_range()
        acc += self.rng.choice((0, 0, 1, -1)) if acc.bit_length() < self.acc_bits - 1 else 0
        return acc * (1 if bias >> 15 else -1), self.column(exponent - 25 - shift), bias

    def at_overflow(self) -> Lane:
        """Sums at 65504, 65520 (the tie) and beside them, with and without a bias."""
        top = self.rng.choice((2047, 2046)) << 2 | self.rng.randint(0, 3)  # in units of 2^(15 - 12)
        bits = top.bit_length()
        if bits > self.acc_bits - 1:
            return self.in_range()
        extra = self.rng.randint(0, self.acc_bits - 1 - bits)
        acc = (top << extra) + (self.rng.choice((-1, 0, 1)) if extra else 0)
        bias = self.rng.choice((0, 0x0001, 0x8001, 0x4C00, 0xCC00, self.bias()))
        return acc * self.rng.choice((-1, 1)), self.column(3 - extra), bias

    def empty(self) -> Lane:
        """acc = 0: the bias alone; −0 becomes +0."""
        return 0, self.column(self.rng.randint(-40, 10)), self.rng.choice((0, 0x8000, self.bias()))

    def lane(self) -> Lane:
        """A lane of a random kind."""
        kinds = (self.anything, self.in_range, self.tie, self.beside_tie, self.cancelled, self.at_overflow)
        weights = (1, 4, 3, 3, 3, 3)
        if self.rng.random() < 0.05:
            return self.empty()
        return self.rng.choices(kinds, weights)[0]()


def _beat(bench: Bench) -> Beat:
    acc_port, _, col_port, bias_port = bench.unit.inputs
    maker = LaneMaker(bench)
    lanes = [maker.lane() for _ in range(acc_port.lanes)]
    accs, columns, biases = zip(*lanes, strict=True)
    return Beat(
        {
            "acc": pack(accs, acc_port.bits),
            "row_scale": 0 if bench.rng.random() < 0.02 else maker.row_scale,
            "col_scale": pack(columns, col_port.bits),
            "bias": pack(biases, bias_port.bits),
        }
    )


def corners(bench: Bench, result: str = "fp16") -> Iterator[Beat]:
    """Quarters of the smallest steps, of 1 and of the range's end, in every rounding case; what is 0."""
    acc_port, _, col_port, bias_port = bench.unit.inputs[:4]
    form, bits = get(result), acc_port.bits
    lowest = 1 - form.bias - form.man_bits
    scaled = [(acc, lowest - 2) for acc in range(1, 13)]
    one = 4 << form.man_bits
    if one.bit_length() < bits:
        scaled += [(one + extra, -form.man_bits - 2) for extra in range(8)]
    lanes = [(sign * acc, power, 0) for acc, power in scaled for sign in (1, -1)]
    lanes += [(acc, 0, bias) for acc, bias in product((0, 1, -1), (0, 0x8000, 0x3C00, 0xBC00))]
    for row_zero, first in product((False, True), range(0, len(lanes), acc_port.lanes)):
        part = lanes[first : first + acc_port.lanes]
        part += part[:1] * (acc_port.lanes - len(part))
        powers = {power for _, power, _ in part}
        row_field = TF32_BIAS + min(powers) // 2
        columns = [power + 2 * TF32_BIAS - row_field << TF32_MAN for _, power, _ in part]
        words = {
            "acc": pack((acc for acc, _, _ in part), bits),
            "row_scale": 0 if row_zero else row_field << TF32_MAN,
            "col_scale": pack(columns, col_port.bits),
            "bias": pack((bias for _, _, bias in part), bias_port.bits),
        }
        yield Beat(words)


def single_bits(bench: Bench) -> Iterator[Beat]:
    """Powers of two from 2^17 up, beyond the range: of the product one bit alone tells, in every place of it.

    Below it nothing stands that could overflow in its stead, and a bias to the other side takes nothing away.
    """
    acc_port, _, col_port, bias_port = bench.unit.inputs
    top = acc_port.bits - 1
    lanes = [
        (sign << place, power)
        for place in range(top + 1)
        for power in range(17 - place, 41)
        for sign in (bench.rng.choice((1, -1)) if place < top else -1,)
    ]
    row_field = TF32_BIAS + 9
    for first in range(0, len(lanes), acc_port.lanes):
        part = lanes[first : first + acc_port.lanes]
        part += part[:1] * (acc_port.lanes - len(part))
        biases = [bench.rng.choice((0, 0xFBFF if acc > 0 else 0x7BFF)) for acc, _ in part]
        columns = [power + 2 * TF32_BIAS - row_field << TF32_MAN for _, power in part]
        yield Beat(
            {
                "acc": pack((acc for acc, _ in part), acc_port.bits),
                "row_scale": row_field << TF32_MAN,
                "col_scale": pack(columns, col_port.bits),
                "bias": pack(biases, bias_port.bits),
            }
        )


@cocotb.test()
async def random(dut: Any) -> None:
    """Structured lanes with gaps and back-pressure."""
    bench = Bench(dut, "random")
    beats = chain(corners(bench), single_bits(bench), (_beat(bench) for _ in range(bench.pick(6000, 1000))))
    await check_stream(bench, one_to_one(law_of(bench)), beats, cut=islice(beats, 20))
    bench.finish()


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's rows at full speed."""
    bench = Bench(dut, "golden")
    await check_golden_stream(bench)
    bench.finish()
