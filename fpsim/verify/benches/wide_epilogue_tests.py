"""fpsim_wide_epilogue against fpsim.arith.epilogue: ties, cancellation and both ends of all three formats."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import cocotb

from fpsim.arith.epilogue import epilogue
from fpsim.formats import get
from fpsim.verify.benches.epilogue_tests import Lane, LaneMaker, corners
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.stream import Beat, check_stream, measure, one_to_one
from fpsim.verify.mismatch import as_signed
from fpsim.verify.sv_row_package import RESULT_FORMATS

TF32_BIAS, TF32_MAN = 127, 10


def law_of(bench: Bench) -> Law:
    """Accumulators to one of three formats, lane by lane."""
    acc_port, _, col_port, bias_port, _ = bench.unit.inputs

    def law(seen: Words) -> Words:
        lanes = (
            epilogue(
                as_signed(acc_port.lane(seen["acc"], i), acc_port.bits),
                seen["row_scale"],
                col_port.lane(seen["col_scale"], i),
                bias_port.lane(seen["bias"], i),
                RESULT_FORMATS[seen["result"]],
            )
            for i in range(acc_port.lanes)
        )
        return {"y": pack(lanes, 32)}

    return law


class WideLaneMaker(LaneMaker):
    """Lanes whose products lie where the result format rounds, ends or begins."""

    def __init__(self, bench: Bench, result: str) -> None:
        super().__init__(bench)
        self.acc_bits = bench.unit.inputs[0].bits
        form = get(result)
        self.significand_bits, self.lowest, self.highest = form.man_bits + 1, 1 - form.bias, form.bias
        # The exponent of the beat's products: anywhere, or at an end of the format.
        middle = self.rng.choice((0, self.lowest, self.highest, self.rng.randint(self.lowest, self.highest)))
        self.exponent = middle
        significand = 0 if self.rng.random() < 0.7 else self.rng.getrandbits(TF32_MAN)
        field = min(max(TF32_BIAS + middle // 2, 1), 254)
        self.row_scale = field << TF32_MAN | significand

    def _at(self, acc: int, exponent: int, significand: int = 0) -> tuple[int, int]:
        """acc of either sign, and the column scale that puts its leading 1 at an exponent."""
        signed = acc * self.rng.choice((-1, 1))
        return signed, self.column(exponent - acc.bit_length() + 1, significand)

    def near(self) -> Lane:
        """Random bits around the beat's exponent, a bias of the same size where there is one."""
        acc = abs(self.acc(self.rng.randint(1, self.acc_bits))) or 1
        exponent = self.exponent + self.rng.randint(-26, 3)
        signed, column = self._at(acc, exponent, self.rng.getrandbits(TF32_MAN))
        field = min(max(exponent + 15 + self.rng.randint(-14, 14), 0), 30)
        bias = self.rng.getrandbits(1) << 15 | field << 10 | self.rng.getrandbits(10)
        return signed, column, self.rng.choice((0, 0x8000, bias))

    def middle(self) -> Lane:
        """Halfway between two numbers of the format, subnormal ones too, or beside it."""
        bits = min(self.significand_bits, self.acc_bits - 2)
        if self.exponent == self.lowest:
            bits = max(self.rng.randint(-bits // 2, bits), 0)  # 0: halfway between 0 and the smallest number
        kept = self.rng.choice((self.rng.getrandbits(bits), (1 << bits) - 1)) | (1 << bits) >> 1
        extra = self.rng.randint(0, self.acc_bits - 2 - bits)
        acc = (kept << 1 | 1) << extra
        acc += self.rng.choice((-1, 0, 0, 1)) if extra else 0
        # The bits lie in the format's last places where it is subnormal.
        exponent = self.exponent + (bits - self.significand_bits if self.exponent == self.lowest else 0)
        return *self._at(acc, exponent), self.rng.choice((0, 0, 0x8000, 0x0001))

    def lane(self) -> Lane:
        """A lane of a random kind."""
        return self.rng.choices((super().lane, self.near, self.middle), (2, 4, 3))[0]()


def _beat(bench: Bench) -> Beat:
    acc_port, _, col_port, bias_port, _ = bench.unit.inputs
    result = bench.rng.choice(RESULT_FORMATS)
    maker = WideLaneMaker(bench, result)
    lanes = [maker.lane() for _ in range(acc_port.lanes)]
    accs, columns, biases = zip(*lanes, strict=True)
    return Beat(
        {
            "acc": pack(accs, acc_port.bits),
            "row_scale": 0 if bench.rng.random() < 0.02 else maker.row_scale,
            "col_scale": pack(columns, col_port.bits),
            "bias": pack(biases, bias_port.bits),
            "result": RESULT_FORMATS.index(result),
        }
    )


def _corners(bench: Bench) -> Iterator[Beat]:
    for selector, result in enumerate(RESULT_FORMATS):
        for beat in corners(bench, result):
            yield Beat(beat.words | {"result": selector})


@cocotb.test()
async def random(dut: Any) -> None:
    """Structured lanes with gaps and back-pressure."""
    bench = Bench(dut, "random")
    beats = chain(_corners(bench), (_beat(bench) for _ in range(bench.pick(4000, 800))))
    one = await measure(bench, one_to_one(law_of(bench)), islice(beats, 1))
    two = await measure(bench, one_to_one(law_of(bench)), islice(beats, 2))
    await check_stream(bench, one_to_one(law_of(bench)), beats, cut=islice(beats, 20))
    bench.finish(one=one, two=two)
