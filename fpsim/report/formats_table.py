"""What the codes of a format mean: values, neighbours, and where every tie goes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from fpsim.arith.cast import encode
from fpsim.formats import FORMATS, Format
from fpsim.report.tables import Column, Row, Table
from fpsim.report.text import NONE

MOST_LISTED_BITS = 8  # formats up to this width are shown code by code
_MINUS_ZERO = "minus zero"
_SPECIALS = {"none": NONE, "nan": "NaN", "ieee": "Inf, NaN"}
_LONGEST = 10  # characters of a value that is written out


@dataclass(frozen=True)
class CodeRow:
    """One code.

    Attributes:
        code: the code.
        bits: its bits, fields apart: sign, exponent, significand; integers in one piece.
        value: a Fraction, or "nan", "+inf", "-inf".
        below, above: the neighbouring finite values; None at the ends of the range and for specials.
        tie: the midpoint of value and above.
        tie_to: what `encode` rounds it to ("rne").
        note: what the code is, where it has a name.
    """

    code: int
    bits: str
    value: Fraction | str
    below: Fraction | None
    above: Fraction | None
    tie: Fraction | None
    tie_to: Fraction | None
    note: str


def number(value: Fraction | str | None) -> str:
    """A value as people read it: exact where that is short, a power of two, or six digits."""
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    exact = str(Decimal(value.numerator) / Decimal(value.denominator)) if value.denominator < 1 << 20 else ""
    if exact and Fraction(exact) == value and len(exact) <= _LONGEST:
        return f"{Decimal(exact):f}" if abs(value) >= 1 or value == 0 else exact
    size = abs(value)
    if size.numerator == 1 or (size.denominator == 1 and size.numerator & (size.numerator - 1) == 0):
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        return f"{'-' if value < 0 else ''}2^{exponent}"
    return f"{float(value):.6g}"


def code_bits(form: Format, code: int) -> str:
    """The bits of a code, fields apart."""
    text = f"{code:0{form.bits}b}"
    if form.kind == "int":
        return text
    sign = int(form.signed)
    parts = (text[:sign], text[sign : sign + form.exp_bits], text[sign + form.exp_bits :])
    return " ".join(part for part in parts if part)


def code_rows(form: Format) -> list[CodeRow]:
    """All codes of a format of at most 8 bits, the interesting ones of a wider format; in order of code."""
    notes = _notes(form)
    codes = range(form.n_codes) if form.bits <= MOST_LISTED_BITS else sorted(notes)
    return [_row(form, code, notes.get(code, "")) for code in codes]


def _row(form: Format, code: int, note: str) -> CodeRow:
    value = form.value(code)
    below = above = tie = goes_to = None
    if isinstance(value, Fraction):
        below, above = _neighbours(form, code, value)
        if above is not None:
            tie = (value + above) / 2
            rounded = form.value(encode(tie, form))
            assert isinstance(rounded, Fraction)
            goes_to = rounded
    return CodeRow(code, code_bits(form, code), value, below, above, tie, goes_to, note)


def _neighbours(form: Format, code: int, value: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """The next finite values below and above."""
    if form.bits <= MOST_LISTED_BITS:
        finite = sorted({v for c in range(form.n_codes) if isinstance(v := form.value(c), Fraction)})
        below, above = bisect_left(finite, value) - 1, bisect_right(finite, value)
        return finite[below] if below >= 0 else None, finite[above] if above < len(finite) else None
    # Wide formats are signed floats: magnitude codes order as magnitudes do.
    magnitude = code & form.magnitude_mask
    step_out = form.value(magnitude + 1)
    outer = step_out if isinstance(step_out, Fraction) else None
    inner = form.value(magnitude - 1) if magnitude else -form.step
    assert isinstance(inner, Fraction)
    if code == magnitude or magnitude == 0:
        return inner, outer
    return None if outer is None else -outer, -inner


def _notes(form: Format) -> dict[int, str]:
    """The codes that have a name."""
    notes: dict[int, str] = {}
    if form.kind == "float":
        smallest_normal = 1 << form.man_bits
        notes[0] = "zero"
        if smallest_normal > 1:
            notes |= {1: "smallest subnormal", smallest_normal - 1: "largest subnormal"}
        if smallest_normal == 2:
            notes[1] = "the subnormal"
        notes[smallest_normal] = "smallest normal"
        if form.signed:
            notes[form.magnitude_mask + 1] = _MINUS_ZERO
        if form.max_value >= 1 and form.scale == 1 and form.value(one := encode(1, form)) == 1:
            notes.setdefault(one, "one")
    if form.kind == "int" and form.signed:
        notes[form.magnitude_mask + 1] = "smallest"
    notes[form.max_magnitude_code] = "largest"
    if form.has_inf:
        notes[form.max_magnitude_code + 1] = "infinity"
    if form.has_nan:
        notes[encode("nan", form)] = "NaN"
    return notes


def format_record(form: Format) -> dict[str, Any]:
    """The fields of a format and its range, for JSON."""
    return {
        "name": form.name,
        "bits": form.bits,
        "kind": form.kind,
        "signed": form.signed,
        "exp_bits": form.exp_bits,
        "man_bits": form.man_bits,
        "bias": form.bias,
        "scale": float(form.scale),
        "smallest": float(form.step),
        "largest": float(form.max_value),
        "has_inf": form.has_inf,
        "has_nan": form.has_nan,
        "source": form.source,
    }


def codes_record(form: Format) -> dict[str, Any]:
    """`format_record` and the rows of `code_rows`, numbers as float64 (exact), specials by name."""

    def plain(value: Fraction | str | None) -> float | str | None:
        return float(value) if isinstance(value, Fraction) else value

    fields = ("below", "above", "tie", "tie_to")
    rows = [
        {
            "code": row.code,
            "bits": row.bits,
            "value": -0.0 if row.note == _MINUS_ZERO else plain(row.value),
            **{name: plain(getattr(row, name)) for name in fields},
            "note": row.note,
        }
        for row in code_rows(form)
    ]
    return {**format_record(form), "codes": rows}


def formats_table() -> Table:
    """All named formats; exp and man are the stored bits of exponent and significand."""
    titles = ("bits", "exp", "man", "bias", "smallest", "largest")
    columns = [Column("name", numeric=False), *(Column(title) for title in titles)]
    columns.append(Column("specials", numeric=False))
    rows = [
        Row([
            form.name, *map(str, (form.bits, form.exp_bits, form.man_bits, form.bias)), number(form.step),
            number(form.max_value), _SPECIALS[form.specials],
        ])
        for form in FORMATS.values()
    ]  # fmt: skip
    caption = "smallest: the smallest positive value, the step in which every value is an integer"
    return Table(caption, columns, rows)


def codes_table(form: Format) -> Table:
    """The codes of one format."""
    named = form.bits > MOST_LISTED_BITS
    columns = [Column("code"), Column("bits", numeric=False)]
    columns += [Column(title) for title in ("value", "below", "above", "tie", "goes to")]
    columns.append(Column("", numeric=False))
    rows = []
    for row in code_rows(form):
        value = "-0" if row.note == _MINUS_ZERO else number(row.value)
        others = [number(x) for x in (row.below, row.above, row.tie, row.tie_to)]
        rows.append(Row([str(row.code), row.bits, value, *others, row.note]))
    return Table("the codes that have a name" if named else "every code", columns, rows)


def format_line(form: Format) -> str:
    """One line about a format."""
    kinds = {"float": "float", "int": "two's complement" if form.signed else "unsigned integer"}
    fields = f"{form.exp_bits} exponent, {form.man_bits} significand bits, " if form.exp_bits else ""
    scale = f" times {number(form.scale)} (real bias {form.real_bias:.6g})" if form.scale != 1 else ""
    return (
        f"{form.name}: {form.bits} bits, {kinds.get(form.kind, 'power of two')}, "
        f"{fields}bias {form.bias}{scale}; "
        f"values from {number(form.step)} to {number(form.max_value)}; ties to nearest as encode rounds them "
        f"({form.source})"
    )
