"""An exact number to a code of any format.

One path for every format: the magnitude is placed between two neighbouring magnitude codes (as if the
exponent had no upper end), one of them is chosen by the rounding mode, and only then the format's range,
sign and special codes come in. Neighbouring codes are neighbouring values in every format here, so
"magnitude code + 1" is "the next value up". A scaled format takes the exact quotient x / scale.

Rounding. "rne": to nearest, a tie to the even code (integers: to the even integer), but in e8m0 to the larger
value: two powers of two have no even significand, and IEEE 754-2019 section 4.3.1 then takes the larger
magnitude, as ml_dtypes and torch do. "rna": to nearest, a tie away from zero. "rtz": toward zero. "rup",
"rdn": toward +infinity, −infinity. "stochastic": with random_bits = (value, nbits), 0 <= value < 2^nbits, and
frac the magnitude's distance to the neighbour below as a fraction of the gap between its neighbours, up in
magnitude where floor(frac · 2^nbits) + value >= 2^nbits; an exact value never moves.

Overflow: the rounded value lies beyond the largest finite one; an infinity; any negative number where the
format is unsigned. "saturate": the nearest finite value. "inf" (formats with infinities only): as IEEE
754-2019 section 7.4, infinity, unless the rounding points back into the range ("rtz"; "rdn" above, "rup"
below): then the nearest finite value; an infinity stays one. "error": ValueError.

NaN takes the canonical one of a format that has NaN: sign 0, all ones ("nan" formats) or all-ones exponent
and the quiet bit alone ("ieee"). For a format without, "error" or what a peer stores, e2m1 only: "ml_dtypes"
8, "torchao" 3, "transformer-engine" 0, "modelopt" 7.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, get_args

from fpsim.arith.checks import check_int
from fpsim.formats import NAN, NEG_INF, POS_INF, Format, get

Rounding = Literal["rne", "rna", "rtz", "rup", "rdn", "stochastic"]
Overflow = Literal["saturate", "inf", "error"]
NanPolicy = Literal["error", "ml_dtypes", "torchao", "transformer-engine", "modelopt"]
E3M0Tie = Literal["code_even", "torch"]

_LEGAL = {
    "rounding": get_args(Rounding),
    "overflow": get_args(Overflow),
    "nan": get_args(NanPolicy),
}
# What peers store for a NaN in E2M1, as observed (ml_dtypes 0.5, torchao, TransformerEngine, ModelOpt).
_PEER_NAN_CODES = {"ml_dtypes": 8, "torchao": 3, "transformer-engine": 0, "modelopt": 7}
_HALF = Fraction(1, 2)


def encode(
    x: Fraction | int | str,
    fmt: str | Format,
    *,
    rounding: Rounding = "rne",
    overflow: Overflow = "saturate",
    nan: NanPolicy = "error",
    negative_zero: bool = False,
    random_bits: tuple[int, int] | None = None,
    e3m0_tie: E3M0Tie | None = None,
) -> int:
    """Round an exact number to a format and give its code; the policies are defined above.

    Args:
        x: a Fraction or an int, exact; or "nan", "+inf", "-inf".
        fmt: any Format or its name.
        rounding, overflow, nan, random_bits: see the module; random_bits is for "stochastic" and only there.
        negative_zero: an x of 0 is −0.
        e3m0_tie: for "rne" of e3m0 (any float without stored significand): "torch", the default there: the
            tie of 0 and the smallest value to 0, every other one up in magnitude, which is the formula of
            LLM-FP4, and IEEE's rule for one significant bit; or "code_even". Elsewhere ties go by the
            code, and "torch" is refused.

    Returns:
        The code, 0 to 2^bits − 1. Signed floats keep the sign of −0 and of what rounds to 0; other formats
        have one zero. Unsigned formats saturate negative numbers to code 0. e8m0 has no zero: 0 and positive
        values below 2^-127 take code 0 (2^-127) under every policy.

    Raises:
        ValueError: an illegal argument, or what an "error" policy refuses.
    """
    form = get(fmt)
    torch_tie = _ties_as_torch(form, rounding, e3m0_tie)
    _check_policies(form, rounding, overflow, nan)
    _check_random_bits(rounding, random_bits)
    if isinstance(x, str):
        return _encode_special(x, form, overflow, nan)
    if isinstance(x, bool) or not isinstance(x, Fraction | int):
        raise ValueError(f"x={x!r}: expected a Fraction, an int, 'nan', '+inf' or '-inf'")
    if negative_zero and x != 0:
        raise ValueError(f"negative_zero=True with x={x}: expected x=0")
    negative = x < 0 or negative_zero
    if x < 0 and not form.signed:
        return _place(form.n_codes, negative, form, overflow, rounding)
    code, frac = _neighbour_below(abs(Fraction(x)) / form.scale, form)
    if rounding == "rne":
        up = frac > _HALF or (frac == _HALF and _tie_goes_up(code, form, torch_tie))
    else:
        up = _rounds_up(frac, negative, rounding, random_bits)
    return _place(code + up, negative, form, overflow, rounding)


def _neighbour_below(magnitude: Fraction, form: Format) -> tuple[int, Fraction]:
    """The largest magnitude code not above `magnitude`, exponent unbounded above, and the way to the next.

    `magnitude` is in units of the scale. The way is a fraction of the gap, in [0, 1).
    """
    if form.kind == "int":
        integer = magnitude.numerator // magnitude.denominator
        return integer, magnitude - integer
    lowest = -form.bias if form.kind == "exponent" else 1 - form.bias
    if form.kind == "exponent" and magnitude < Fraction(2) ** lowest:
        return 0, Fraction(0)
    exponent = max(_floor_log2(magnitude), lowest) if magnitude else lowest
    steps = magnitude / Fraction(2) ** (exponent - form.man_bits)
    significand = steps.numerator // steps.denominator
    hidden = 1 if form.kind == "exponent" else 0  # e8m0 has no subnormals: code 0 is 1 · 2^lowest
    return ((exponent - lowest) << form.man_bits) + significand - hidden, steps - significand


def _floor_log2(x: Fraction) -> int:
    """floor(log2 x) of a positive x, from the bits."""
    estimate = x.numerator.bit_length() - x.denominator.bit_length()
    return estimate if x >= Fraction(2) ** estimate else estimate - 1


def _ties_as_torch(form: Format, rounding: str, e3m0_tie: str | None) -> bool:
    """Whether ties go by the torch rule: by default wherever it applies."""
    applies = rounding == "rne" and form.kind == "float" and form.man_bits == 0
    if e3m0_tie is None:
        return applies
    if e3m0_tie not in get_args(E3M0Tie):
        raise ValueError(f"e3m0_tie={e3m0_tie!r}: expected None or one of {', '.join(get_args(E3M0Tie))}")
    if e3m0_tie == "torch" and not applies:
        raise ValueError(f"e3m0_tie='torch': a rule of e3m0 and 'rne', not of {form.name} and {rounding!r}")
    return e3m0_tie == "torch"


def _tie_goes_up(code: int, form: Format, torch_tie: bool) -> bool:
    """Whether "rne" takes code + 1 from the middle between it and `code`."""
    if form.kind == "exponent":
        return True
    if torch_tie:
        return code >= 1
    return code % 2 == 1


def _rounds_up(
    frac: Fraction, negative: bool, rounding: Rounding, random_bits: tuple[int, int] | None
) -> bool:
    """Whether a magnitude `frac` of the gap above its lower neighbour takes the upper one (not for rne)."""
    if random_bits is not None:
        value, nbits = random_bits
        return (frac.numerator << nbits) // frac.denominator + value >= 1 << nbits
    if rounding == "rna":
        return frac >= _HALF
    if rounding == "rtz":
        return False
    return frac > 0 and negative == (rounding == "rdn")


def _place(code: int, negative: bool, form: Format, overflow: Overflow, rounding: Rounding) -> int:
    """Apply range and sign to a rounded magnitude code; one of n_codes stands for any beyond the range."""
    below_unsigned = negative and not form.signed
    largest = 0 if below_unsigned else form.max_magnitude_code
    if negative and form.signed and form.kind == "int":
        largest += 1
    if code > largest:
        if overflow == "error":
            raise ValueError(f"x lies outside the range of {form.name} once rounded; overflow='error'")
        inward = rounding == "rtz" or rounding == ("rup" if negative else "rdn")
        code = largest + 1 if overflow == "inf" and not inward and not below_unsigned else largest
    if not negative or not form.signed:
        return code
    return -code % form.n_codes if form.kind == "int" else code + form.n_codes // 2


def _encode_special(x: str, form: Format, overflow: Overflow, nan: NanPolicy) -> int:
    if x == NAN:
        return _encode_nan(form, nan)
    if x not in (POS_INF, NEG_INF):
        raise ValueError(f"x={x!r}: expected a Fraction, an int, 'nan', '+inf' or '-inf'")
    return _place(form.n_codes, x == NEG_INF, form, overflow, "rne")


def _encode_nan(form: Format, nan: NanPolicy) -> int:
    if form.specials == "nan":
        return form.magnitude_mask
    if form.specials == "ieee":
        infinity = form.max_magnitude_code + 1
        return infinity | (1 << (form.man_bits - 1))
    if nan == "error":
        raise ValueError(f"x='nan': {form.name} has no NaN; nan='error'")
    return _PEER_NAN_CODES[nan]


def _check_policies(form: Format, rounding: str, overflow: str, nan: str) -> None:
    policies = {"rounding": rounding, "overflow": overflow, "nan": nan}
    for name, value in policies.items():
        if value not in _LEGAL[name]:
            raise ValueError(f"{name}={value!r}: expected one of {', '.join(_LEGAL[name])}")
    if overflow == "inf" and not form.has_inf:
        raise ValueError(f"overflow='inf': {form.name} has no infinity; expected 'saturate' or 'error'")
    if nan != "error" and form != get("e2m1"):
        raise ValueError(f"nan={nan!r}: a policy of e2m1; {form.name} takes 'error'")


def _check_random_bits(rounding: str, random_bits: tuple[int, int] | None) -> None:
    if (rounding == "stochastic") != (random_bits is not None):
        raise ValueError(
            f"random_bits={random_bits!r} with rounding={rounding!r}: "
            "expected (value, nbits) for 'stochastic' and None for the others"
        )
    if random_bits is not None:
        value, nbits = random_bits
        check_int("nbits of random_bits", nbits, 1, None)
        check_int("value of random_bits", value, 0, (1 << nbits) - 1)
