"""The structured random vectors really hold the corners that they are named after."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from fpsim.arith.align import align
from fpsim.arith.decode import Operand, decode
from fpsim.arith.dot_mx import DotSum, dot_mx
from fpsim.arith.dot_nvfp4 import dot_nvfp4
from fpsim.arith.epilogue import epilogue
from fpsim.arith.mac_float import mac_float
from fpsim.arith.row_scale import amplitude
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.formats import get
from fpsim.verify.benches import align_tests, dot_blocks, epilogue_tests, mac_float_tests, quantizer_tests
from fpsim.verify.benches.row_scale_tests import structured_amax
from fpsim.verify.units import unit

FP16, TF32 = get("fp16"), get("tf32")
INFINITY_FIELD = 31


def bench(name: str, config: ArrayConfig) -> Any:
    """As much of a bench as the makers of vectors look at, without a simulator."""
    return SimpleNamespace(rng=random.Random(1), config=config, unit=unit(name, config))


def finite(bits: int) -> Fraction:
    """The value of finite FP16 bits."""
    value = FP16.value(bits)
    assert isinstance(value, Fraction)
    return value


def is_tie(exact: Fraction, rounded: int) -> bool:
    """Whether the exact sum lies halfway between the rounded bits and a neighbour's."""
    neighbours = [bits for bits in (rounded - 1, rounded + 1) if 0 <= bits < 0x10000]
    return any(
        bits >> 10 & 31 != INFINITY_FIELD and 2 * exact == finite(rounded) + finite(bits)
        for bits in neighbours
    )


def epilogue_kinds(acc_bits: int) -> Counter[str]:
    """How often each kind of result occurs in 1000 beats of 8 lanes."""
    fake = bench("epilogue", ArrayConfig(8, 8, UnitConfig(acc_bits=acc_bits)))
    kinds: Counter[str] = Counter()
    for _ in range(1000):
        maker = epilogue_tests.LaneMaker(fake)
        for acc, column, bias in (maker.lane() for _ in range(8)):
            rho, c = TF32.value(maker.row_scale), TF32.value(column)
            assert isinstance(rho, Fraction)
            assert isinstance(c, Fraction)
            y = epilogue(acc, maker.row_scale, column, bias)
            exact = acc * rho * c + finite(bias)
            kinds["plus zero"] += y == 0
            kinds["minus zero"] += y == 0x8000
            kinds["subnormal"] += y & 0x7FFF != 0 and y >> 10 & 31 == 0
            kinds["saturated"] += abs(exact) > 65504
            kinds["cancelled"] += exact == 0 and acc != 0
            kinds["tie"] += abs(exact) < 65504 and exact != finite(y) and is_tie(exact, y)
            kinds["tie at overflow"] += abs(exact) == 65520  # IEEE 754: from here on infinity, here 65504
    return kinds


@pytest.mark.parametrize("acc_bits", [9, 12, 26, 40])
def test_epilogue_vectors_hold_every_kind_of_result(acc_bits: int) -> None:
    kinds = epilogue_kinds(acc_bits)
    wide = acc_bits > 12  # an accumulator needs 13 bits to hold the tie at 65520
    expected = {"plus zero", "minus zero", "subnormal", "saturated", "cancelled", "tie"}
    assert {kind for kind, count in kinds.items() if count > 0} >= expected | (
        {"tie at overflow"} if wide else set()
    )


@pytest.mark.parametrize("name", OPERAND_FORMATS)
def test_quantizer_vectors_hold_every_exact_tie(name: str) -> None:
    fake = bench("quantizer", ArrayConfig())
    levels = [decode(i, name).value for i in range(8)]
    ties, zero_amplitudes = set(), 0
    for _ in range(300):
        amp = quantizer_tests._amplitude(fake, name)
        zero_amplitudes += amp == 0
        for h in (quantizer_tests._integer(fake, amp, name) for _ in range(32)):
            scaled = 2 * levels[7] * abs(h)
            ties |= {i for i in range(7) if amp and scaled == (levels[i] + levels[i + 1]) * amp}
    assert ties == set(range(7))
    assert zero_amplitudes > 0


def test_align_rows_hold_ties_specials_and_every_exponent() -> None:
    fake = bench("align", ArrayConfig())
    ties, specials, exponents = 0, 0, set()
    for _ in range(400):
        row = align_tests._row(fake)
        aligned = align(row, guard_bits=4)
        specials += aligned.special
        exponents.add(aligned.exp)
        for bits in row:
            units = abs(finite(bits)) * Fraction(2) ** (25 + 4 - aligned.exp) if not aligned.special else 0
            ties += units - int(units) == Fraction(1, 2)
    assert ties > 100
    assert specials > 10
    assert exponents == set(range(1, 32))


@pytest.mark.parametrize("bits", [13, 19, 21, 27])
def test_amax_values_hold_ties_to_both_sides_and_carries(bits: int) -> None:
    values = structured_amax(bits)
    dropped = {amax: max(amax.bit_length() - 11, 0) for amax in values}
    ties = [a for a in values if dropped[a] and a % (1 << dropped[a]) == 1 << (dropped[a] - 1)]
    assert any(amplitude(a) > a for a in ties)
    assert any(amplitude(a) < a for a in ties)
    assert any(amplitude(a).bit_length() > a.bit_length() for a in values)
    assert values[-1] == 1 << (bits - 1)


def sum_kinds(before: Fraction, term: Fraction, bits: int) -> Counter[str]:
    """What is special about one addition onto an FP32 sum."""
    fp32 = get("fp32")
    after, exact = fp32.value(bits & 0x7FFFFFFF), before + term
    assert isinstance(after, Fraction)
    code = bits & 0x7FFFFFFF
    neighbours = [fp32.value(c) for c in (code - 1, code + 1) if 0 <= c <= fp32.max_magnitude_code]
    ulps = [abs(n - after) for n in neighbours if isinstance(n, Fraction)]
    kinds: Counter[str] = Counter()
    kinds["tie"] += abs(abs(exact) - after) in [ulp / 2 for ulp in ulps]
    kinds["cancelled"] += exact == 0 and before != 0
    kinds["one step left"] += before != 0 != term and abs(exact) * 2**20 < abs(before)
    kinds["subnormal"] += 0 < after < Fraction(2) ** -126
    kinds["saturated"] += abs(exact) > fp32.max_value
    kinds["minus zero"] += bits == 0x80000000
    kinds["lost"] += term != 0 != before and after == abs(before)
    kinds["sum lost"] += term != 0 != before and after == abs(term)
    return kinds


@pytest.mark.parametrize("name", ["dot_mx", "dot_nvfp4"])
def test_blocks_hold_every_kind_of_sum(name: str) -> None:
    law = {"dot_mx": dot_mx, "dot_nvfp4": dot_nvfp4}[name]
    fake = bench(name, ArrayConfig())
    sums = dot_blocks.Sums(fake, law)
    ports = fake.unit.inputs
    scale = ports[4].fmt
    kinds: Counter[str] = Counter()
    for _ in range(500):
        total = DotSum()
        for words in sums.one():
            codes = [[p.lane(words[p.name], i) for i in range(p.lanes)] for p in ports[2:4]]
            scales = words["a_scale"], words["b_scale"]
            before = DotSum() if words["in_first"] else total
            total = law(before, *codes, *scales, first=bool(words["in_first"]))
            values = [scale.value(code) for code in scales]
            kinds["special"] += "nan" in values
            if "nan" in values:
                continue
            e2m1 = get("e2m1")
            dot = sum(e2m1.value(a) * e2m1.value(b) for a, b in zip(*codes, strict=True))  # type: ignore[operator, misc]
            start = get("fp32").value(before.acc)
            kinds += sum_kinds(start, dot * values[0] * values[1], total.acc)  # type: ignore[arg-type]
            kinds["zero after minus zero"] += before.acc == 0x80000000 and dot == 0
    expected = {"special", "tie", "cancelled", "lost"}
    if name == "dot_mx":  # UE4M3 scales leave the middle of FP32's range only within one block
        expected |= {
            "one step left",
            "subnormal",
            "saturated",
            "minus zero",
            "zero after minus zero",
            "sum lost",
        }
    assert {kind for kind, count in kinds.items() if count > 0} >= expected


def test_floating_sums_hold_every_kind_of_addition() -> None:
    fake = bench("mac_float", ArrayConfig())
    unit_under_test = mac_float_tests.MacFloat(fake)
    acc, kinds = 0, Counter[str]()
    beats = [beat for _ in range(500) for beat in mac_float_tests._structured(unit_under_test)]
    for words in [*beats, *mac_float_tests._overflows(unit_under_test)]:
        a, b = (Operand(bool(words[f"{s}_neg"]), words[f"{s}_sig"], words[f"{s}_shift"]) for s in "ab")
        unit_exp = words["unit_exp"] - 256 * (words["unit_exp"] >> 7)
        first = bool(words["first"])
        before = get("fp32").value(0 if first else acc)
        accumulator = unit_under_test.float_acc.accumulator
        acc = mac_float(acc, a, b, unit_exp, first=first, accumulator=accumulator)
        infinite = acc & 0x7FFFFFFF == 0x7F800000
        kinds["infinite"] += infinite
        if not infinite and isinstance(before, Fraction):
            kinds += sum_kinds(before, a.value * b.value * Fraction(2) ** unit_exp, acc)
    expected = {"tie", "cancelled", "one step left", "subnormal", "lost", "sum lost", "infinite"}
    assert {kind for kind, count in kinds.items() if count > 0} >= expected
