"""Cover points of fpsim_decode, fpsim_mul and fpsim_mac: formats, signs, both zeros, overflow."""

from __future__ import annotations

from functools import cache
from itertools import product

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mul import mul
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.verify.covergroup import Unreachable, unreachable
from fpsim.verify.covergroups.sampler import (
    NO_YES,
    OVERFLOWS,
    RESULT_SIGNS,
    Sampler,
    Words,
    beyond,
    sign_of,
)
from fpsim.verify.ports import Unit

LOW = "low nibble"  # the int4 operand that is the low nibble of a wider integer
CODES = ("+0", "−0", "other")
LONGEST_CLIMB = 20_000  # beats; a sum that takes more of the largest products overflows in no bench


def operand_kinds(config: ArrayConfig) -> tuple[str, ...]:
    """The built-in formats, and the low nibble where there is int4."""
    formats = config.unit.formats
    return (*formats, LOW) if "int4" in formats else formats


def operand_code(operand: Operand) -> str:
    """An operand as a bin of `CODES`."""
    return CODES[2 if operand.sig else int(operand.neg)]


def operand_at(side: str, words: Words) -> Operand:
    """The operand on the three ports of a side."""
    return Operand(bool(words[f"{side}_neg"]), words[f"{side}_sig"], words[f"{side}_shift"])


@cache
def _owners(kinds: tuple[str, ...]) -> dict[Operand, tuple[str, ...]]:
    owners: dict[Operand, tuple[str, ...]] = {}
    for kind, code in product(kinds, range(16)):
        operand = decode(code, "int4", low=True) if kind == LOW else decode(code, kind)
        if kind not in owners.get(operand, ()):
            owners[operand] = (*owners.get(operand, ()), kind)
    return owners


def owners_of(operand: Operand, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The formats that have this operand: behind a decoder nobody can tell them apart."""
    return _owners(kinds)[operand]


def operand_pairs(config: ArrayConfig) -> dict[tuple[str, str], set[tuple[Operand, Operand]]]:
    """Every pair of operands of every pair of formats."""
    kinds = operand_kinds(config)
    by_kind = {kind: [o for o, owners in _owners(kinds).items() if kind in owners] for kind in kinds}
    return {(a, b): set(product(by_kind[a], by_kind[b])) for a in kinds for b in kinds}


def no_signed_zero(kinds: tuple[str, ...], *points: str) -> list[Unreachable]:
    """−0 of integers, for (format point, code point) pairs given one after the other."""
    integers = tuple(kind for kind in kinds if kind in ("int4", LOW))
    if not integers:
        return []
    return [
        Unreachable("two's complement has one zero", {fmt: integers, code: ("−0",)})
        for fmt, code in zip(points[::2], points[1::2], strict=True)
    ]


def never_negative(kinds: tuple[str, ...], point: str) -> list[Unreachable]:
    """Products of two low nibbles."""
    if LOW not in kinds:
        return []
    where = {"a_format": (LOW,), "b_format": (LOW,), point: ("negative",)}
    return [Unreachable("low nibbles are unsigned", where)]


class DecodeSampler(Sampler):
    """Every code of every selector, as a code and as a low nibble."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        absent = tuple(name for name in OPERAND_FORMATS if name not in config.unit.formats)
        points = {
            "format": OPERAND_FORMATS,
            "low": NO_YES,
            "code": tuple(f"{code:04b}" for code in range(16)),
            "operand": ("+0", "−0", "positive", "negative"),
        }
        rules = []
        if absent:
            reason = "a format that is not built in decodes to 0"
            rules.append(unreachable(reason, format=absent, operand=("−0", "positive", "negative")))
        if "int4" not in absent:
            reason = "two's complement has one zero"
            rules.append(unreachable(reason, format="int4", operand="−0"))
            reason = "a low nibble is unsigned"
            rules.append(unreachable(reason, format="int4", low="yes", operand="negative"))
        crosses = (("format", "low", "code"), ("format", "low", "operand"))
        super().__init__(unit, config, points, crosses, rules)

    def result(self, inputs: Words, expected: Words) -> None:
        """One code."""
        if expected["sig"]:
            operand = "negative" if expected["neg"] else "positive"
        else:
            operand = "−0" if expected["neg"] else "+0"
        self.sample(
            format=OPERAND_FORMATS[inputs["fmt"]],
            low=NO_YES[inputs["low"]],
            code=f"{inputs['code']:04b}",
            operand=operand,
        )


class MulSampler(Sampler):
    """Every pair of formats: signs of the product, both zeros of either side."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.kinds = operand_kinds(config)
        points = {
            "a_format": self.kinds,
            "b_format": self.kinds,
            "a_code": CODES,
            "b_code": CODES,
            "product": RESULT_SIGNS,
        }
        crosses = (("a_format", "b_format", "product"), ("a_format", "b_format", "a_code", "b_code"))
        rules = no_signed_zero(self.kinds, "a_format", "a_code", "b_format", "b_code")
        super().__init__(unit, config, points, crosses, [*rules, *never_negative(self.kinds, "product")])

    def result(self, inputs: Words, expected: Words) -> None:
        """One product; it counts for all formats that have its operands."""
        a, b = operand_at("a", inputs), operand_at("b", inputs)
        for a_format, b_format in product(owners_of(a, self.kinds), owners_of(b, self.kinds)):
            self.sample(
                a_format=a_format,
                b_format=b_format,
                a_code=operand_code(a),
                b_code=operand_code(b),
                product=sign_of(mul(a, b)),
            )


class MacSampler(Sampler):
    """Format pairs by operation, zero and sign; overflow to both sides; sums that cancel."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        self.kinds = operand_kinds(config)
        self.acc = 0
        operations = ("hold", "first", "add", *(("shift",) if config.unit.wide else ()))
        points = {
            "a_format": self.kinds,
            "b_format": self.kinds,
            "a_code": CODES,
            "b_code": CODES,
            "product": RESULT_SIGNS,
            "operation": operations,
            "overflow": OVERFLOWS,
            "result": ("negative", "zero", "cancelled", "positive"),
        }
        crosses = [
            ("a_format", "b_format", "operation", "product"),
            ("a_format", "b_format", "a_code", "b_code"),
            ("operation", "overflow"),
            ("operation", "result"),
        ]
        if config.unit.wide:
            crosses.append(("a_format", "b_format", "overflow"))
        rules = no_signed_zero(self.kinds, "a_format", "a_code", "b_format", "b_code")
        rules += never_negative(self.kinds, "product")
        super().__init__(unit, config, points, crosses, rules + _mac_rules(config))

    def reset(self) -> None:
        """The register is 0."""
        self.acc = 0

    def result(self, inputs: Words, expected: Words) -> None:
        """One beat, a hold too."""
        a, b = operand_at("a", inputs), operand_at("b", inputs)
        before, bits = self.acc, self.config.unit.acc_bits
        half = 1 << (bits - 1)
        self.acc = (expected["acc"] + half) % (2 * half) - half
        if not inputs["en"]:
            operation, total = "hold", before
        elif inputs["first"]:
            operation, total = "first", mul(a, b)
        elif inputs["shift"] and self.config.unit.wide:
            operation, total = "shift", 16 * before + mul(a, b)
        else:
            operation, total = "add", before + mul(a, b)
        cancelled = operation != "hold" and not self.acc and mul(a, b) != 0
        for a_format, b_format in product(owners_of(a, self.kinds), owners_of(b, self.kinds)):
            self.sample(
                a_format=a_format,
                b_format=b_format,
                a_code=operand_code(a),
                b_code=operand_code(b),
                product=sign_of(mul(a, b)),
                operation=operation,
                overflow=beyond(total, bits),
                result="cancelled" if cancelled else sign_of(self.acc),
            )


def climb_beats(config: ArrayConfig) -> tuple[int, int]:
    """Beats of the largest products that lead beyond an accumulator's upper and its lower end."""
    products = {mul(a, b) for pairs in operand_pairs(config).values() for a, b in pairs}
    half = 1 << (config.unit.acc_bits - 1)
    return -(-half // max(products)), half // -min(products) + 1


def _mac_rules(config: ArrayConfig) -> list[Unreachable]:
    unit = config.unit
    products = {mul(a, b) for pairs in operand_pairs(config).values() for a, b in pairs}
    rules = [
        unreachable("a register that holds does not change", operation="hold", overflow=OVERFLOWS[1:]),
        unreachable("a register that holds does not change", operation="hold", result="cancelled"),
    ]
    outside = {beyond(value, unit.acc_bits) for value in products}
    inside = tuple(way for way in OVERFLOWS if way not in outside)
    if inside:
        rules.append(unreachable("every product fits the register", operation="first", overflow=inside))
    multiples = [p for p in products if p and p % (1 << unit.acc_bits) == 0]
    if not multiples or unit.overflow == "saturate":
        reason = "no product is a multiple of 2^AccW"
        rules.append(unreachable(reason, operation="first", result="cancelled"))
    for way, beats in zip(OVERFLOWS[1:], climb_beats(config), strict=True):
        if beats > LONGEST_CLIMB and not unit.wide:
            reason = f"it takes {beats} of the largest products in a row"
            rules.append(unreachable(reason, overflow=way))
    return rules
