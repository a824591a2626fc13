"""Sums of blocks for fpsim_dot_mx and fpsim_dot_nvfp4: chosen step by step beside the running sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, product
from typing import Protocol

from fpsim.arith.dot_mx import DotSum
from fpsim.arith.number import floor_log2
from fpsim.formats import get
from fpsim.verify.benches.harness import Bench, Words, pack
from fpsim.verify.benches.stream import Beat, Expectation, Model, Stream

FP32 = get("fp32")
QUARTERS = 2  # a product's unit is 2^-2
# Magnitudes of E2M1 codes in halves, and of products in quarters with the codes behind them, largest first.
_HALVES = (0, 1, 2, 3, 4, 6, 8, 12)
_PRODUCTS = sorted(
    ((x * y, i, j) for i, x in enumerate(_HALVES) for j, y in enumerate(_HALVES)), reverse=True
)
BACK_TO_BACK = 40  # sums at full speed, for the cycles


class Law(Protocol):
    """One block of either unit."""

    def __call__(
        self,
        before: DotSum,
        a_codes: list[int],
        b_codes: list[int],
        a_scale: int,
        b_scale: int,
        /,
        *,
        first: bool,
    ) -> DotSum:
        """The sum after the block."""
        ...


def model(bench: Bench, law: Law) -> Model:
    """What must come out: the law's sum after every last block, with the blocks that led to it."""
    a_port, b_port = bench.unit.inputs[2:4]
    running, blocks = DotSum(), 0

    def step(seen: Words) -> list[Expectation]:
        nonlocal running, blocks
        before, first = running, bool(seen["in_first"])
        a = [a_port.lane(seen["a_codes"], i) for i in range(a_port.lanes)]
        b = [b_port.lane(seen["b_codes"], i) for i in range(b_port.lanes)]
        running = law(before, a, b, seen["a_scale"], seen["b_scale"], first=first)
        blocks = 1 if first else blocks + 1
        if not seen["in_last"]:
            return []
        rows = [("before", f"acc = 0x{before.acc:08x}, block {blocks} of its sum")]
        outputs = {"out_acc": running.acc, "out_special": int(running.special)}
        return [Expectation(outputs, seen, lambda _: rows)]

    return step


class Sums:
    """Maker of sums; every block is chosen with the sum so far in hand.

    Attributes:
        lanes: products per block.
        powers: scale code of each power of two that the scale format has, by its exponent.
    """

    def __init__(self, bench: Bench, law: Law) -> None:
        self.rng = bench.rng
        self.law = law
        self.lanes = bench.unit.inputs[2].lanes
        scale = bench.unit.inputs[4].fmt
        assert scale is not None
        self.nan = scale.n_codes - 1
        values = {code: scale.value(code) for code in range(self.nan)}
        self.powers = {
            floor_log2(value): code
            for code, value in values.items()
            if isinstance(value, Fraction) and value and value == Fraction(2) ** floor_log2(value)
        }

    def corners(self) -> Iterator[list[Words]]:
        """Every pair of classes of scales; overflow to both sides and a NaN in every place of a sum."""
        picked = [0, 1, self.powers[0], self.nan]
        for a, b in product(picked, picked):
            yield self.marked([self.block([7], [7], (a, b))])
        quiet = self.block([2], [2], (self.powers[0], self.powers[0]))
        largest = max(self.powers.values())
        loud = [self.block([7], [code], (largest, largest)) for code in (7, 15)]
        lowest = max(2 * min(self.powers), -151)  # of the smallest numbers, quarters and more
        for quarters, sign in product(range(1, 13), (1, -1)):
            yield self.marked([self.worth(sign * quarters, lowest)])
        for beat in (*loud, quiet | {"a_scale": self.nan}):
            yield self.marked([beat])
            for place in range(3):
                yield self.marked([dict(beat if i == place else quiet) for i in range(3)])

    def one(self) -> list[Words]:
        """The blocks of one sum of a random kind."""
        kinds: list[Callable[[], Iterator[Words]]] = [
            self._ordinary, self._beside, self._cancelled, self._at_an_end, self._anything,
        ]  # fmt: skip
        return self.marked(list(self.rng.choices(kinds, (3, 5, 2, 3, 2))[0]()))

    @staticmethod
    def marked(beats: list[Words]) -> list[Words]:
        """The blocks of a sum, the first and the last one marked."""
        for i, beat in enumerate(beats):
            beat["in_first"], beat["in_last"] = int(i == 0), int(i == len(beats) - 1)
        return beats

    def block(self, a: list[int], b: list[int], scales: tuple[int, int]) -> Words:
        """One beat, both sides padded with code 0."""
        pad = [0] * self.lanes
        words = {"a_codes": pack((a + pad)[: self.lanes], 4), "b_codes": pack((b + pad)[: self.lanes], 4)}
        return {"in_first": 0, "in_last": 0, **words, "a_scale": scales[0], "b_scale": scales[1]}

    def codes(self) -> list[int]:
        """Random codes; sometimes few, small or extreme ones."""
        rng = self.rng
        count = rng.choice((self.lanes, self.lanes, rng.randint(1, self.lanes)))
        pool = rng.choice((range(16), range(16), (0, 8, 1, 9), (7, 15), (7,)))
        return [rng.choice(pool) for _ in range(count)]

    def scales_at(self, exponent: int) -> tuple[int, int]:
        """Two powers of two whose product is 2^exponent, or as near as there is."""
        low, high = min(self.powers), max(self.powers)
        exponent = min(max(exponent, 2 * low), 2 * high)
        first = self.rng.randint(max(low, exponent - high), min(high, exponent - low))
        return self.powers[first], self.powers[exponent - first]

    def any_scales(self) -> tuple[int, int]:
        """Two scale codes that are not NaN."""
        return self.rng.randrange(self.nan), self.rng.randrange(self.nan)

    def worth(self, quarters: int, exponent: int) -> Words:
        """A block whose sum is quarters · 2^exponent, in shuffled lanes; as much of it as fits."""
        a, b = list[int](), list[int]()
        rest, sign = abs(quarters), 8 if quarters < 0 else 0
        while rest and len(a) < self.lanes:
            product, x, y = next(p for p in _PRODUCTS if p[0] <= rest)
            side = self.rng.random() < 0.5
            a.append(x | (sign if side else 0))
            b.append(y | (0 if side else sign))
            rest -= product
        order = list(range(self.lanes))
        self.rng.shuffle(order)
        pad = self.lanes - len(a)
        a, b = a + [0] * pad, b + [self.rng.randrange(16) for _ in range(pad)]
        return self.block([a[i] for i in order], [b[i] for i in order], self.scales_at(exponent + QUARTERS))

    def _then(self, before: DotSum, beat: Words) -> DotSum:
        """The sum after one more beat, by the law."""
        a, b = ([beat[name] >> 4 * i & 15 for i in range(self.lanes)] for name in ("a_codes", "b_codes"))
        return self.law(before, a, b, beat["a_scale"], beat["b_scale"], first=False)

    def _ordinary(self) -> Iterator[Words]:
        """Blocks as layers have them: scales near one another."""
        centre = self.rng.randint(-8, 8)
        for _ in range(self.rng.randint(1, 6)):
            scales = self.scales_at(centre + self.rng.randint(-3, 3))
            yield self.block(self.codes(), self.codes(), scales if self.rng.random() < 0.5 else self._near())

    def _near(self) -> tuple[int, int]:
        middle = self.powers[0]
        return middle + self.rng.randint(-5, 5), middle + self.rng.randint(-5, 5)

    def _anything(self) -> Iterator[Words]:
        """Random bits; a few scales are NaN."""
        for _ in range(self.rng.randint(1, 4)):
            a_scale, b_scale = self.any_scales()
            a_scale = self.nan if self.rng.random() < 0.05 else a_scale
            b_scale = self.nan if self.rng.random() < 0.05 else b_scale
            yield self.block(self.codes(), self.codes(), (a_scale, b_scale))

    def _wide(self, top: int) -> list[Words]:
        """Blocks that leave a sum of many bits, the first one near 2^top."""
        sign = self.rng.choice((1, -1))
        places = [top - 12, top - 12 - self.rng.randint(3, 11)]
        return [self.worth(sign * self.rng.randint(1, self.lanes * 100), place) for place in places]

    def _beside(self) -> Iterator[Words]:
        """A sum of many bits, then blocks at half of its last place (a tie), beside it, at its top, far."""
        rng = self.rng
        low, high = 2 * min(self.powers), 2 * max(self.powers)
        beats = self._wide(rng.randint(max(low + 30, -120), min(high + 8, 120)))
        running = DotSum()
        for beat in beats:
            running = self._then(running, beat)
        for _ in range(rng.randint(1, 4)):
            total = FP32.value(running.acc)
            assert isinstance(total, Fraction)
            top = floor_log2(abs(total)) if total else low + 30
            ulp = max(top - FP32.man_bits, -149)
            place = rng.choice((ulp - 1, ulp - 1, ulp - 2, ulp, ulp - 14, top, top - 1, top + 20, ulp - 40))
            quarters = rng.choice((1, -1, 2, -2, 3, -3, rng.randint(-2000, 2000)))
            beats.append(self.worth(quarters, place))
            running = self._then(running, beats[-1])
        yield from beats

    def _cancelled(self) -> Iterator[Words]:
        """A block taken away again: exactly, or all but its last quarter, after which little is left."""
        a, b, scales = self.codes(), self.codes(), self.any_scales()
        yield self.block(a, b, scales)
        taken = [code ^ 8 for code in a]
        if self.rng.random() < 0.5:
            taken[-1] = self.rng.randrange(16)
        yield self.block(taken, b, scales)
        if self.rng.random() < 0.5:
            yield self.block([], self.codes(), self.any_scales())

    def _at_an_end(self) -> Iterator[Words]:
        """Sums at the ends of the range: subnormal, below the smallest number (±0), beyond the largest."""
        rng = self.rng
        for _ in range(rng.randint(1, 4)):
            place = rng.choice((rng.randint(-166, -126), rng.randint(-151, -148), rng.randint(100, 128)))
            yield self.worth(rng.choice((0, 1, -1, 3, -3, rng.randint(-4608, 4608))), place)


def quarters(words: Words, lanes: int) -> int:
    """The sum of a block's products, in quarters."""
    a, b = ([words[name] >> 4 * i & 15 for i in range(lanes)] for name in ("a_codes", "b_codes"))
    signed = [[-_HALVES[code & 7] if code & 8 else _HALVES[code] for code in side] for side in (a, b)]
    return sum(x * y for x, y in zip(*signed, strict=True))


async def check(
    bench: Bench, law: Law, more: Callable[[Sums], Iterable[list[Words]]] = lambda sums: ()
) -> None:
    """Corners and structured sums with gaps, back-pressure, a reset; then latency and cycles.

    Args:
        bench: of the unit.
        law: one block of it.
        more: the blocks of further sums.
    """
    sums = Sums(bench, law)
    stream = Stream(bench, model(bench, law), stress=True)
    await stream.reset()
    await stream.run(_beats(sums, 20), cycles=25)
    await stream.reset()
    corners = [*sums.corners(), *sums.corners()]
    bench.rng.shuffle(corners)
    await stream.run(Beat(words) for corner in corners for words in corner)
    await stream.run(Beat(words) for beats in more(sums) for words in sums.marked(beats))
    await stream.run(_beats(sums, bench.pick(800, 200)))
    full = Stream(bench, model(bench, law), stress=False)
    await full.reset()
    await full.run(_beats(sums, 1))
    full.first_in = None
    single = sums.worth(5, 0) | {"in_first": 1, "in_last": 1}
    await full.run([Beat(single)])
    latency = full.last_out - (full.first_in or 0)
    full.first_in = None
    long = [sums.worth(i, 0) | {"in_first": int(i == 0), "in_last": 0} for i in range(BACK_TO_BACK)]
    await full.run(Beat(words) for words in chain(long, [single | {"in_first": 0}], [single] * BACK_TO_BACK))
    beats = 2 * BACK_TO_BACK + 1
    bench.finish(latency=latency, stalls=full.last_out - (full.first_in or 0) - latency - (beats - 1))


def _beats(sums: Sums, count: int) -> Iterator[Beat]:
    return (Beat(words) for _ in range(count) for words in sums.one())
