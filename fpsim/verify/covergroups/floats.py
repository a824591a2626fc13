"""Cover points of fpsim_mac_float, fpsim_dot_mx and fpsim_dot_nvfp4: rounding, ends of the range, zeros."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from fpsim.arith.cast import encode
from fpsim.arith.decode import decode
from fpsim.arith.mul import mul
from fpsim.arith.number import floor_log2
from fpsim.array.config import ArrayConfig
from fpsim.formats import Format, get
from fpsim.verify.covergroup import Unreachable, unreachable
from fpsim.verify.covergroups.operands import (
    CODES,
    LOW,
    never_negative,
    no_signed_zero,
    operand_at,
    operand_code,
    operand_kinds,
    owners_of,
)
from fpsim.verify.covergroups.sampler import (
    INEXACT,
    NO_YES,
    OVERFLOWS,
    RESULT_SIGNS,
    ROUNDINGS,
    SIGNS,
    Sampler,
    StreamSampler,
    Words,
    float_case,
    float_class,
    sign_of,
)
from fpsim.verify.covergroups.tiles import POSITIONS, position
from fpsim.verify.ports import Unit

LOWEST_UNIT = -128  # exponent of a product's unit, 8 bits signed
FP32 = get("fp32")
HALVES = [decode(code, "e2m1").value for code in range(16)]  # E2M1 in units of its smallest step


def number(code: int, fmt: Format) -> Fraction | None:
    """The value of a finite code; None of an infinity or a NaN."""
    value = fmt.value(code)
    return value if isinstance(value, Fraction) else None


def sign_bit(code: int, fmt: Format) -> str:
    """The sign of a code, of zeros too, as a bin of `SIGNS`."""
    return SIGNS[code >= fmt.n_codes // 2]


class MacFloatSampler(Sampler):
    """Format pairs by zeros, signs and overflow; every rounding case of every class of sum."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.kinds = operand_kinds(config)
        self.acc = 0
        float_acc = config.unit.float_acc
        self.fmt = float_acc.fmt
        self.nearest = float_acc.rounding == "rne"
        classes = ("zero", "subnormal", "normal", "infinite")
        points = {
            "a_format": self.kinds,
            "b_format": self.kinds,
            "a_code": CODES,
            "b_code": CODES,
            "product": RESULT_SIGNS,
            "operation": ("hold", "first", "add"),
            "rounding": ROUNDINGS if self.nearest else ("exact", "below half", "tie", "above half"),
            "sign": SIGNS,
            "sum": classes if self.fmt.has_inf else classes[:3],
            "overflow": OVERFLOWS,
            "cancelled": NO_YES,
        }
        crosses = [
            ("a_format", "b_format", "operation", "product"),
            ("a_format", "b_format", "a_code", "b_code"),
            ("a_format", "b_format", "overflow"),
            ("sum", "rounding", "sign"),
            ("operation", "sum", "sign"),
            ("operation", "overflow"),
            ("operation", "cancelled"),
        ]
        rules = no_signed_zero(self.kinds, "a_format", "a_code", "b_format", "b_code")
        rules += never_negative(self.kinds, "product")
        super().__init__(unit, config, points, crosses, rules + _mac_float_rules(config, self.kinds))

    def reset(self) -> None:
        """The register is +0."""
        self.acc = 0

    def result(self, inputs: Words, expected: Words) -> None:
        """One beat, a hold too."""
        a, b = operand_at("a", inputs), operand_at("b", inputs)
        unit_exp = (inputs["unit_exp"] ^ 128) - 128
        before = Fraction(0) if inputs["first"] else number(self.acc, self.fmt)
        operation = "hold" if not inputs["en"] else "first" if inputs["first"] else "add"
        self.acc = expected["acc"]
        term = mul(a, b) * Fraction(2) ** unit_exp
        total = None if before is None else before + term
        case, overflow = "exact", "none"
        if operation != "hold" and total is not None:
            case = float_case(abs(total), self.fmt)
            overflow = self._overflow(total)
        if not self.nearest:
            case = "tie" if case.startswith("tie") else case
        parts = {
            "a_code": operand_code(a),
            "b_code": operand_code(b),
            "product": sign_of(term),
            "operation": operation,
            "overflow": overflow,
            "cancelled": NO_YES[operation != "hold" and total == 0 and term != 0],
            "sum": float_class(self.acc, self.fmt),
            "sign": sign_bit(self.acc, self.fmt),
        }
        if overflow == "none":  # beyond the range the neighbours are none of the format
            parts["rounding"] = case
        for a_format, b_format in product(owners_of(a, self.kinds), owners_of(b, self.kinds)):
            self.sample(a_format=a_format, b_format=b_format, **parts)

    def _overflow(self, total: Fraction) -> str:
        """Whether the exact sum, rounded as if the range had no end, leaves it."""
        top, size = self.fmt.max_value, abs(total)
        half_step = Fraction(2) ** (floor_log2(top) - self.fmt.man_bits - 1)
        if not self.nearest:  # any other rounding may go up from just above
            beyond = size > top
        else:
            tie_up = self.fmt.max_magnitude_code % 2 == 1
            beyond = size > top + half_step or (tie_up and size == top + half_step)
        return OVERFLOWS[0] if not beyond else OVERFLOWS[1 if total > 0 else 2]


def _mac_float_rules(config: ArrayConfig, kinds: tuple[str, ...]) -> list[Unreachable]:
    fmt, float_acc = config.unit.float_acc.fmt, config.unit.float_acc
    hold, first = "a register that holds does not change", "a first beat has nothing to take away from"
    rules = [
        unreachable(hold, operation="hold", overflow=OVERFLOWS[1:]),
        unreachable(hold, operation="hold", cancelled="yes"),
        unreachable(first, operation="first", cancelled="yes"),
    ]
    if LOW in kinds:
        reason = "low nibbles are unsigned"
        rules.append(unreachable(reason, a_format=LOW, b_format=LOW, overflow="negative"))
    if fmt.has_inf:
        inexact = INEXACT if float_acc.rounding == "rne" else ("below half", "tie", "above half")
        reason = "an infinity stays, and a sum that becomes one has no neighbours in the format"
        rules.append(unreachable(reason, sum="infinite", rounding=inexact))
        if float_acc.overflow == "saturate":
            rules.append(unreachable("overflow saturates", sum="infinite"))
    if float_acc.rounding == "rne":
        rules += _zero_rules()
        if fmt.step <= Fraction(2) ** LOWEST_UNIT:
            reason = "products are multiples of 2^-128 and so of the smallest step: nothing small is rounded"
            rules.append(unreachable(reason, sum=("zero", "subnormal"), rounding=INEXACT))
            reason = "an exact sum of 0 is +0, and nothing rounds to 0"
            rules.append(unreachable(reason, sum="zero", sign="−"))
    return rules


def _zero_rules() -> list[Unreachable]:
    """What does not round to 0, to nearest."""
    half = "more than half of the smallest number does not round to 0"
    return [
        unreachable("0 is even: a tie beside it goes down to it", sum="zero", rounding="tie up"),
        unreachable(half, sum="zero", rounding="above half"),
    ]


class DotSampler(StreamSampler):
    """Blocks by place, scales, rounding case and end of the range; sums against stalls."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.a_port, self.b_port = unit.inputs[2:4]
        scale = unit.inputs[4].fmt
        assert scale is not None
        self.scale = scale
        scales = ("zero", "subnormal", "normal", "NaN") if scale.man_bits else ("lowest", "normal", "NaN")
        points = {
            "block": POSITIONS,
            "a_scale": scales,
            "b_scale": scales,
            "special": NO_YES,
            "rounding": ROUNDINGS,
            "sum": ("zero", "subnormal", "normal"),
            "sign": SIGNS,
            "overflow": OVERFLOWS,
            "cancelled": NO_YES,
            "products": RESULT_SIGNS,
        }
        crosses = (
            ("a_scale", "b_scale"),
            ("block", "special"),
            ("sum", "rounding", "sign"),
            ("block", "overflow"),
            ("block", "products"),
            ("block", "cancelled"),
            ("block", "gap"),
            ("special", "stalled"),
        )
        super().__init__(unit, config, points, crosses, _dot_rules(scale))
        self.reset()

    def reset(self) -> None:
        """No sum is open."""
        super().reset()
        self._acc, self._special = 0, False

    def accepted(self, seen: Words) -> None:
        """One block."""
        first, last = bool(seen["in_first"]), bool(seen["in_last"])
        scales = [number(seen[f"{side}_scale"], self.scale) for side in "ab"]
        before = Fraction(0) if first else number(self._acc, FP32)
        assert before is not None
        nan = None in scales
        self._special = nan or (self._special and not first)
        products = 0 if nan else self._products(seen)
        term = Fraction(products, 4) * (scales[0] or 0) * (scales[1] or 0)
        total = before + term
        self._acc = encode(total, FP32)
        top = FP32.max_value + Fraction(2) ** (127 - 24)
        overflow = "none" if abs(total) < top else "positive" if total > 0 else "negative"
        where = position(first, last)
        parts = {
            "block": where,
            "gap": self.gap,
            "special": NO_YES[self._special],
            "a_scale": self._scale(seen["a_scale"]),
            "b_scale": self._scale(seen["b_scale"]),
            "products": sign_of(products),
            "cancelled": NO_YES[total == 0 and term != 0],
            "overflow": overflow,
            "sum": float_class(self._acc, FP32),
            "sign": sign_bit(self._acc, FP32),
        }
        if overflow == "none":
            parts["rounding"] = float_case(abs(total), FP32)
        self.sample(**parts)

    def result(self, inputs: Words, expected: Words) -> None:
        """A sum that left."""
        self.sample(special=NO_YES[expected["out_special"]], stalled=self.stalled)

    def _products(self, seen: Words) -> int:
        """The sum of products of a block, in quarters."""
        ports = (self.a_port, self.b_port)
        a, b = ([port.lane(seen[port.name], i) for i in range(port.lanes)] for port in ports)
        return sum(HALVES[x] * HALVES[y] for x, y in zip(a, b, strict=True))

    def _scale(self, code: int) -> str:
        value = self.scale.value(code)
        if isinstance(value, str):
            return "NaN"
        if not self.scale.man_bits:
            return "normal" if code else "lowest"
        return float_class_unsigned(code, self.scale)


def float_class_unsigned(code: int, fmt: Format) -> str:
    """zero, subnormal or normal, of a finite code without a sign."""
    return "zero" if not code else "normal" if code >> fmt.man_bits else "subnormal"


def _dot_rules(scale: Format) -> list[Unreachable]:
    rules = [
        *_zero_rules(),
        unreachable("an exact sum of 0 is +0", sum="zero", rounding="exact", sign="−"),
        unreachable("a first block has nothing to take away from", block=("only", "first"), cancelled="yes"),
    ]
    if scale.man_bits:
        reason = "under UE4M3 every block is a multiple of 2^-20, far above FP32's smallest normal number"
        rules.append(unreachable(reason, sum="subnormal"))
        rules.append(unreachable(reason, sum="zero", rounding=INEXACT))
        reason = "under UE4M3 a block is below 2^27: it takes more than 2^100 of them"
        rules.append(unreachable(reason, overflow=OVERFLOWS[1:]))
    return rules
