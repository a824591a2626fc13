"""Which inputs the ports of a unit admit, as SystemVerilog: what a proof over two versions of it may assume.

The contract (rtl/README.md) says them in words, unit by unit. A unit without an entry admits every word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fpsim.array.config import OPERAND_FORMATS
from fpsim.verify.proof_tables import known_operands
from fpsim.verify.units import Unit


def admissible(unit: Unit) -> str:
    """A SystemVerilog expression over the unit's input ports: true for every word that they admit."""
    rule = _RULES.get(unit.name)
    return rule(unit) if rule else "1'b1"


def _formats(unit: Unit) -> list[str]:
    mask = unit.parameters["Formats"]
    return [name for i, name in enumerate(OPERAND_FORMATS) if mask >> i & 1]


def _operands(unit: Unit) -> str:
    words = sorted(int(o.neg) << 7 | o.sig << 3 | o.shift for o in known_operands(_formats(unit)))
    sides = (f"{{{side}_neg_i, {side}_sig_i, {side}_shift_i}}" for side in "ab")
    return _all("(" + " || ".join(f"{side} == 8'd{word}" for word in words) + ")" for side in sides)


def _selector(signal: str, unit: Unit) -> str:
    numbers = (OPERAND_FORMATS.index(name) for name in _formats(unit))
    return "(" + " || ".join(f"{signal} == 2'd{number}" for number in numbers) + ")"


def _exponent(unit: Unit) -> str:
    return "(exp_i >= 5'd1 && exp_i <= 5'd30)"


def _row_scale(unit: Unit) -> str:
    bits = unit.parameters["W"]
    return _all([_exponent(unit), f"(amax_i <= {bits}'d{1 << (bits - 1)})"])


def _hadamard(unit: Unit) -> str:
    port = unit.inputs[-1]
    lowest = f"{port.bits}'d{1 << (port.bits - 1)}"  # must not be negated
    return _all(f"x_i[{i * port.bits} +: {port.bits}] != {lowest}" for i in range(port.lanes))


def _epilogue(unit: Unit) -> str:
    lanes = unit.parameters["Lanes"]
    scales = ["row_scale_i[18] == 1'b0 && row_scale_i[17:10] != 8'd255 && (row_scale_i[17:10] != 8'd0 "
              "|| row_scale_i == 19'd0)"]  # fmt: skip
    for i in range(lanes):
        exponent = f"col_scale_i[{19 * i + 10} +: 8]"
        scales.append(f"col_scale_i[{19 * i + 18}] == 1'b0 && {exponent} != 8'd0 && {exponent} != 8'd255")
        scales.append(f"bias_i[{16 * i + 10} +: 5] != 5'd31")
    return _all(f"({scale})" for scale in scales)


def _wide_epilogue(unit: Unit) -> str:
    return _where_valid(_all([_epilogue(unit), "(result_i != 2'd3)"]))


def _wide_quantizer(unit: Unit) -> str:
    zeros = "(zero_i + 8'd{half} < 8'd{both})"  # a code of the format, in two's complement of 8 bits
    int4, int6 = zeros.format(half=8, both=16), zeros.format(half=32, both=64)
    zero = f"(format_i == 3'd3 && {int4} || format_i == 3'd4 && {int6} || format_i == 3'd5)"
    return _where_valid(f"(format_i <= 3'd5) && (!asymmetric_i || {zero})")


def _zero_point(unit: Unit) -> str:
    bits = unit.parameters["W"]
    top, wide = 1 << (bits - 1), bits + 16
    depth = f"({wide}'d{top} - {wide}'(low_i ^ {bits}'d{top}))"  # -low: with the top bit changed, low + top
    span = f"{wide}'(span_i)"
    # Rounded to 11 significant bits; -low may be above it by that rounding, less than 1/8 of a step of n.
    rounded = " || ".join(
        f"({span} >> {s}) < 2048 && (({span} >> {s}) << {s}) == {span}" for s in range(max(bits - 9, 1))
    )
    limits = [
        f"format_i == 3'd{selector} && 8 * {n} * {depth} <= {8 * n + 1} * {span}"
        for selector, n in ((3, 15), (4, 63), (5, 255))
    ]
    return _where_valid(
        f"(low_i[{bits - 1}] || low_i == '0) && ({rounded}) && (span_i == '0 || {' || '.join(limits)})"
    )


def _hadamard_outer(unit: Unit) -> str:
    beats = unit.parameters["MaxBeats"]
    powers = " || ".join(f"points_i == 7'd{1 << i} && stride_i <= {beats >> i}" for i in range(7))
    shape = (
        f"(base_i == 2'd0 && ({powers}) || base_i == 2'd1 && stride_i <= {beats // 12}"
        f" || base_i == 2'd2 && stride_i <= {beats // 36})"
    )
    return _where_valid(_all([shape, "(stride_i != '0)", _hadamard(unit)]))


def _where_valid(rule: str) -> str:
    """A rule for the beats on offer; between them a stream admits everything."""
    return f"(!in_valid_i || {rule})"


def _all(terms: Iterable[str]) -> str:
    return " && ".join(terms)


_RULES: dict[str, Callable[[Unit], str]] = {
    "mul": _operands,
    "mac": _operands,
    "align": _exponent,
    "row_scale": _row_scale,
    "hadamard": _hadamard,
    "quantizer": lambda unit: _selector("fmt_i", unit),
    "epilogue": _epilogue,
    "mac_float": _operands,
    "wide_quantizer": _wide_quantizer,
    "zero_point": _zero_point,
    "wide_epilogue": _wide_epilogue,
    "hadamard_outer": _hadamard_outer,
    "mac_array": lambda unit: _all(_selector(f"{side}_fmt_i", unit) for side in "ab"),
}
