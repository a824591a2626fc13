"""Cover points of a row's way: exponents, rotation, largest magnitudes, scales, zero points."""

from __future__ import annotations

from fractions import Fraction

from fpsim.arith.row_scale import AMPLITUDE_BITS
from fpsim.array.config import ArrayConfig
from fpsim.formats import get
from fpsim.verify.covergroup import unreachable
from fpsim.verify.covergroups.sampler import (
    INEXACT,
    NO_YES,
    RESULT_SIGNS,
    ROUNDINGS,
    SIGNS,
    Sampler,
    StreamSampler,
    Words,
    rounding_case,
    sign_of,
)
from fpsim.verify.ports import Port, Unit

FP16 = get("fp16")
FP16_CLASSES = ("zero", "subnormal", "normal", "infinity", "NaN")


def signed(bits: int, width: int) -> int:
    """A raw lane as a two's complement integer."""
    return bits - (1 << width) if bits >> (width - 1) else bits


def lanes_of(port: Port, word: int) -> list[int]:
    """The lanes of a word, as signed integers."""
    return [signed(port.lane(word, i), port.bits) for i in range(port.lanes)]


class AlignSampler(Sampler):
    """Every class of FP16 number with every way to round or to saturate; exponents of the row and others."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {
            "number": FP16_CLASSES,
            "sign": SIGNS,
            "rounding": ROUNDINGS,
            "saturated": NO_YES,
            "exponent": ("the row's", "above", "below"),
            "special": NO_YES,
        }
        crosses = (
            ("number", "sign", "rounding", "saturated"),
            ("exponent", "number"),
            ("exponent", "rounding"),
            ("exponent", "special"),
        )
        special = ("infinity", "NaN")
        rules = (
            unreachable("an infinity or a NaN becomes 0", number=special, rounding=INEXACT),
            unreachable("an infinity or a NaN becomes 0", number=special, saturated="yes"),
            unreachable("0 is 0 under any exponent", number="zero", rounding=INEXACT),
            unreachable("0 is 0 under any exponent", number="zero", saturated="yes"),
            unreachable("no exponent is below a subnormal number's", number="subnormal", saturated="yes"),
            unreachable("what saturates is shifted to the left", saturated="yes", rounding=INEXACT),
            unreachable("no exponent is above that of an infinity", exponent="above", number=special),
            unreachable("no exponent is above that of an infinity", exponent="above", special="yes"),
        )
        super().__init__(unit, config, points, crosses, rules)
        self._cases: dict[tuple[int, int], dict[str, str]] = {}

    def result(self, inputs: Words, expected: Words) -> None:
        """A row, number by number."""
        exp, port = inputs["exp"], self.unit.inputs[0]
        row = [port.lane(inputs["x"], i) for i in range(port.lanes)]
        if exp == expected["exp_max"]:
            exponent = "the row's"
        else:
            exponent = "above" if exp > expected["exp_max"] else "below"
        for bits in row:
            case = self._cases.get((bits, exp))
            if case is None:
                case = self._cases[bits, exp] = self._case(bits, exp)
            self.sample(**case, exponent=exponent)
        self.sample(special=NO_YES[expected["special"]], exponent=exponent)

    def _case(self, bits: int, exp: int) -> dict[str, str]:
        sign, field, man = FP16.fields(bits)
        significand = man + (1024 if field else 0)
        number = FP16_CLASSES[2 if field else int(man != 0)]
        case, saturated = "exact", False
        if field == 31:
            number = "NaN" if man else "infinity"
        else:
            distance = exp - max(field, 1)
            units = significand << self.config.unit.guard_bits
            saturated = distance < 0 and significand > 0
            if distance > 0:
                case = rounding_case(units, 1 << distance)
        return {"number": number, "sign": SIGNS[sign], "rounding": case, "saturated": NO_YES[saturated]}


class HadamardSampler(StreamSampler):
    """Transform and bypass with all kinds of signs, results at their extremes, waits on both sides."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {
            "enabled": NO_YES,
            "signs": ("none", "some", "all"),
            "extreme": ("none", "positive", "negative"),
        }
        crosses = (("enabled", "signs", "stalled"), ("enabled", "signs", "extreme"), ("enabled", "gap"))
        super().__init__(unit, config, points, crosses)
        x = unit.inputs[2]
        self._peak = (1 << (x.bits - 1)) - 1

    def accepted(self, seen: Words) -> None:
        """A block."""
        self.sample(enabled=NO_YES[seen["enable"]], gap=self.gap)

    def result(self, inputs: Words, expected: Words) -> None:
        """A block that left."""
        lanes = self.unit.inputs[2].lanes
        ones = inputs["signs"].bit_count()
        y = lanes_of(self.unit.outputs[0], expected["y"])
        peak = self._peak * (lanes if inputs["enable"] else 1)
        extreme = "positive" if max(y) == peak else "negative" if min(y) == -peak else "none"
        self.sample(
            enabled=NO_YES[inputs["enable"]],
            signs="none" if not ones else "all" if ones == lanes else "some",
            extreme=extreme,
            stalled=self.stalled,
        )


class AmaxSampler(Sampler):
    """Every lane as the largest, of both signs; both ends of the range, and rows of zeros."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        lanes = tuple(map(str, range(unit.inputs[0].lanes)))
        points = {
            "lane": lanes,
            "largest": ("zero", "positive", "negative", "highest", "lowest"),
            "tie": NO_YES,
        }
        reason = "a row of zeros has its largest in every lane"
        rules = [unreachable(reason, largest="zero", tie="no")] if len(lanes) > 1 else []
        super().__init__(unit, config, points, (("lane", "largest"), ("largest", "tie")), rules)

    def result(self, inputs: Words, expected: Words) -> None:
        """A beat."""
        port = self.unit.inputs[0]
        h, top = lanes_of(port, inputs["h"]), 1 << (port.bits - 1)
        largest = expected["amax"]
        at = [i for i, value in enumerate(h) if abs(value) == largest]
        for lane in at:
            kind = {top - 1: "highest", -top: "lowest"}.get(h[lane], sign_of(h[lane]))
            self.sample(lane=str(lane), largest=kind, tie=NO_YES[len(at) > 1])


class RangeSampler(Sampler):
    """Every lane as the largest and as the smallest; rows of one sign; both ends of the range."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        lanes = tuple(map(str, range(unit.inputs[0].lanes)))
        points = {
            "highest lane": lanes,
            "lowest lane": lanes,
            "high": ("zero", "positive", "end of the range"),
            "low": ("zero", "negative", "end of the range"),
        }
        crosses = (("high", "low"), ("highest lane", "high"), ("lowest lane", "low"))
        super().__init__(unit, config, points, crosses)

    def result(self, inputs: Words, expected: Words) -> None:
        """A beat."""
        port = self.unit.inputs[0]
        h, top = lanes_of(port, inputs["h"]), 1 << (port.bits - 1)
        high, low = expected["high"], signed(expected["low"], port.bits)
        words = {
            "high": "end of the range" if high == top - 1 else sign_of(high),
            "low": "end of the range" if low == -top else sign_of(low),
        }
        self.sample(**words)
        for lane, value in enumerate(h):
            if value == high:
                self.sample(**{"highest lane": str(lane), "high": words["high"]})
            if value == low:
                self.sample(**{"lowest lane": str(lane), "low": words["low"]})


class RowScaleSampler(Sampler):
    """How amplitudes round, with and without a carry, at every exponent."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.limit = 1 << (unit.inputs[0].bits - 1)
        points = {
            "amax": ("zero", "as it is", "longer", "largest"),
            "rounding": ROUNDINGS,
            "carry": NO_YES,
            "exponent": tuple(map(str, range(1, 32))),
        }
        crosses = (("rounding", "carry"), ("exponent", "rounding"), ("exponent", "amax"))
        rules = [
            unreachable("what is not rounded up does not carry", carry="yes", rounding=ROUNDINGS[:3]),
        ]
        if unit.inputs[0].bits - 1 <= AMPLITUDE_BITS + 1:
            reason = "at most one bit is rounded off"
            rules.append(unreachable(reason, rounding=("below half", "above half")))
        super().__init__(unit, config, points, crosses, rules)

    def result(self, inputs: Words, expected: Words) -> None:
        """One amax."""
        amax, exp = inputs["amax"], str(inputs["exp"])
        dropped = max(amax.bit_length() - AMPLITUDE_BITS, 0)
        kind = "zero" if not amax else "longer" if dropped else "as it is"
        carry = expected["amp"].bit_length() > amax.bit_length()
        self.sample(
            amax="largest" if amax == self.limit else kind,
            rounding=rounding_case(amax, 1 << dropped),
            carry=NO_YES[carry],
            exponent=exp,
        )


class ZeroPointSampler(StreamSampler):
    """Zero points of every format by rounding case and place; rows of zeros."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.formats = ("int4", "int6", "int8")
        points = {
            "format": self.formats,
            "rounding": ROUNDINGS,
            "zero": ("lowest", "between", "highest"),
            "span": ("zero", "other"),
        }
        crosses = (("format", "rounding"), ("format", "zero"), ("format", "span"), ("format", "stalled"))
        reason = "a row takes ten cycles"
        rules = [unreachable(reason, gap=("0", "1"), refused=("0", "1"))]
        super().__init__(unit, config, points, crosses, rules)

    def result(self, inputs: Words, expected: Words) -> None:
        """One row."""
        port, span = self.unit.inputs[0], inputs["span"]
        low, name = signed(inputs["low"], port.bits), ("", "", "", *self.formats)[inputs["format"]]
        form = get(name)
        zero = signed(expected["zero"], 8)
        place = {-(form.n_codes // 2): "lowest", form.n_codes // 2 - 1: "highest"}
        steps = Fraction((form.n_codes - 1) * -low, span) if span else Fraction(0)
        self.sample(
            format=name,
            rounding=rounding_case(steps.numerator, steps.denominator),
            zero=place.get(zero, "between"),
            span="other" if span else "zero",
            stalled=self.stalled,
        )


class ZeroCorrectionSampler(StreamSampler):
    """Both zero points at their ends with sums of every sign, and every kind of depth."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        ends = ("lowest", "negative", "zero", "positive", "highest")
        points = {
            "act_zero": ends,
            "weight_zero": ends,
            "acc": ends,
            "acc_sign": RESULT_SIGNS,
            "row_sum": RESULT_SIGNS,
            "col_sum": RESULT_SIGNS,
            "depth": ("1", "other", "largest"),
            "sum": RESULT_SIGNS,
        }
        crosses = (
            ("act_zero", "weight_zero"),
            ("act_zero", "col_sum"),
            ("weight_zero", "row_sum"),
            ("acc_sign", "sum"),
            ("depth", "act_zero"),
            ("sum", "stalled"),
        )
        super().__init__(unit, config, points, crosses)

    def result(self, inputs: Words, expected: Words) -> None:
        """One row of accumulators, lane by lane."""
        acc, row_sum, _, depth, col_sum, weight_zero = self.unit.inputs
        longest = (1 << depth.bits) - 1
        k = inputs["depth"]
        lanes = zip(
            lanes_of(acc, inputs["acc"]),
            lanes_of(col_sum, inputs["col_sum"]),
            lanes_of(weight_zero, inputs["weight_zero"]),
            lanes_of(self.unit.outputs[0], expected["sum"]),
            strict=True,
        )
        for one_acc, one_col, one_zero, total in lanes:
            self.sample(
                act_zero=_end(signed(inputs["act_zero"], 8), 8),
                weight_zero=_end(one_zero, weight_zero.bits),
                acc=_end(one_acc, acc.bits),
                acc_sign=sign_of(one_acc),
                row_sum=sign_of(signed(inputs["row_sum"], row_sum.bits)),
                col_sum=sign_of(one_col),
                depth="1" if k == 1 else "largest" if k == longest else "other",
                sum=sign_of(total),
                stalled=self.stalled,
            )


def _end(value: int, bits: int) -> str:
    top = 1 << (bits - 1)
    return {-top: "lowest", top - 1: "highest"}.get(value, sign_of(value))
