"""Casting between floats and codes of any format, on arrays, by integer arithmetic on the bits alone."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format, get
from fpsim.formats.spec import SCALE_BITS
from fpsim.kernels import _check
from fpsim.kernels import rounding as inner
from fpsim.kernels.decode import look_up

Rounding = Literal["rne", "rna", "rtz", "rup", "rdn", "stochastic"]
Overflow = Literal["saturate", "inf", "error"]
NanPolicy = Literal["error", "ml_dtypes", "torchao", "transformer-engine", "modelopt"]

_ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "stochastic")  # order of the constants in `rounding`
_OVERFLOWS = ("saturate", "inf", "error")
# What these libraries return for a NaN cast to E2M1.
_E2M1_NAN_CODES = {"ml_dtypes": 8, "torchao": 3, "transformer-engine": 0, "modelopt": 7}
_KINDS = {"float": inner.KIND_FLOAT, "int": inner.KIND_INT, "exponent": inner.KIND_EXPONENT}
_FLOATS = ("float16", "float32", "float64")
# A float64 reaches from 2^-1074 to 2^1024; a bias beyond this leaves every one of them out of the format's
# range on the same side, so it may be cut off there.
_BIAS_MAX = 4000
FLOAT32_INF = 0x7F800000
_REASONS = {
    inner.BAD_NAN: "{fmt} has no NaN; expected numbers, or a policy in nan=",
    inner.BAD_OVERFLOW: "beyond the largest {fmt} value, {max}; overflow='error' refuses it",
    inner.BAD_NEGATIVE: "{fmt} is unsigned; overflow='error' refuses negative numbers",
}


@cache
def _target(fmt: Format, nan: str) -> inner.Target:
    """The format as the inner loops want it, with the NaN policy."""
    sign_bit = fmt.magnitude_mask + 1 if fmt.signed else 0
    max_positive = fmt.magnitude_mask if fmt.kind == "int" else fmt.max_magnitude_code
    max_negative = (sign_bit if fmt.kind == "int" else max_positive) if fmt.signed else -1
    inf = max_positive + 1 if fmt.has_inf else -1
    nan_code = _E2M1_NAN_CODES.get(nan, -1)
    if fmt.has_nan:
        nan_code = inf | (1 << (fmt.man_bits - 1)) if fmt.has_inf else fmt.magnitude_mask
    bias = min(max(fmt.bias, -_BIAS_MAX), _BIAS_MAX)
    scale, scale_exp = 0, 0
    if fmt.scale != 1:
        scale_exp = fmt.scale.numerator.bit_length() - fmt.scale.denominator.bit_length() + 1 - SCALE_BITS
        scale = int(fmt.scale / Fraction(2) ** scale_exp)
    return inner.Target(
        _KINDS[fmt.kind], fmt.man_bits, bias, fmt.exp_bits, max_positive, max_negative, inf, nan_code,
        int(fmt.has_nan), sign_bit, scale, scale_exp,
    )  # fmt: skip


@cache
def _four_bit_bounds(fmt: Format, torch_tie: bool) -> NDArray[np.int32] | None:
    """Bits of the smallest float32 that rounds (RNE) to each of the codes 1 to 7; None: no such format."""
    if fmt.bits != 4 or fmt.kind != "float" or not fmt.signed or fmt.specials != "none":
        return None
    levels = [fmt.value(code) for code in range(8)]
    bounds = np.empty(7, np.int32)
    for i in range(7):
        low, high = levels[i], levels[i + 1]
        assert isinstance(low, Fraction)
        assert isinstance(high, Fraction)
        tie_up = i > 0 if torch_tie else i % 2 == 1
        bounds[i] = _float32_bits_from((low + high) / 2, including=tie_up)
    return bounds


def _float32_bits_from(bound: Fraction, including: bool) -> int:
    """Bits of the smallest float32, up to infinity, above a positive bound, or at it where it is included."""
    top = bound.numerator.bit_length() - bound.denominator.bit_length()
    top -= bound < Fraction(2) ** top
    field_exp = max(top, -126)
    steps = bound / Fraction(2) ** (field_exp - 23)
    significand = math.ceil(steps) if including else math.floor(steps) + 1
    # From 2^-126 on, the hidden bit adds 1 to the exponent field, and a carry one more.
    return min(((field_exp + 126) << 23) + significand, FLOAT32_INF)


def _code_dtype(fmt: Format) -> type[np.uint8] | type[np.uint16] | type[np.uint32]:
    if fmt.bits <= 8:
        return np.uint8
    return np.uint16 if fmt.bits <= 16 else np.uint32


def _check_random_bits(random_bits: Any, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], int]:
    if not isinstance(random_bits, tuple) or len(random_bits) != 2:
        raise ValueError(
            f"random_bits={type(random_bits).__name__}: rounding='stochastic' expects a pair (integer array, "
            "number of bits in each)"
        )
    count = _check.integer("random_bits count", random_bits[1], 1, 32)
    kinds = ("uint8", "uint16", "uint32", "int64")
    array = _check.array("random_bits", random_bits[0], kinds)
    if array.shape != shape:
        raise ValueError(f"random_bits.shape={array.shape}: expected {shape}, the shape of x")
    _check.values_within("random_bits", array, 0, (1 << count) - 1)
    return array.astype(np.int64).reshape(-1), count


def _torch_tie(fmt: Format, rounding: str, tie: str | None) -> bool:
    """Whether ties go by the torch rule: the default wherever it is defined."""
    defined = fmt.kind == "float" and not fmt.man_bits and rounding == "rne"
    if tie is None:
        return defined
    _check.choice("e3m0_tie", tie, ("code_even", "torch"))
    if tie == "torch" and not defined:
        raise ValueError(
            f"e3m0_tie='torch': expected e3m0 and rounding='rne', not {fmt.name} and {rounding!r}"
        )
    return tie == "torch"


def _check_encode(fmt: Format, rounding: str, overflow: str, nan: str, random_bits: Any) -> None:
    _check.choice("rounding", rounding, _ROUNDINGS)
    _check.choice("overflow", overflow, _OVERFLOWS)
    _check.choice("nan", nan, ("error", *_E2M1_NAN_CODES))
    if overflow == "inf" and not fmt.has_inf:
        raise ValueError(f"overflow='inf': {fmt.name} has no infinity; expected 'saturate' or 'error'")
    if nan != "error" and fmt != FORMATS["e2m1"]:
        raise ValueError(f"nan={nan!r}: names what a library does for e2m1; expected 'error' for {fmt.name}")
    if random_bits is not None and rounding != "stochastic":
        raise ValueError(f"random_bits: expected None with rounding={rounding!r}")


def _encode_any(
    x: NDArray[Any], fmt: Format, nan: str, mode: inner.Mode, random: NDArray[np.int64], out: NDArray[Any]
) -> None:
    """The general loop over flat floats; raises ValueError for the first element that is refused."""
    info = np.finfo(x.dtype)
    source = inner.Source(info.nmant, info.maxexp - 1, (1 << info.nexp) - 1)
    bits = x.view(f"int{8 * x.itemsize}")
    reason, i = inner.encode_bits(bits, source, _target(fmt, nan), mode, random, out)
    if reason != inner.OK:
        limit = fmt.max_value if reason == inner.BAD_OVERFLOW else ""
        text = _REASONS[reason].format(fmt=fmt.name, max=limit)
        raise ValueError(f"x[{i}] (flat index) is {float(x[i])!r}: {text}")


def encode(
    x: NDArray[Any],
    fmt: str | Format,
    *,
    rounding: Rounding = "rne",
    overflow: Overflow = "saturate",
    nan: NanPolicy = "error",
    random_bits: tuple[NDArray[Any], int] | None = None,
    e3m0_tie: Literal["code_even", "torch"] | None = None,
) -> NDArray[Any]:
    """Round floats to codes of a format; one rounding, from the bits of x.

    Args:
        x: float16, float32 or float64, any shape; a float64 is rounded once.
        fmt: any Format or the name of one.
        rounding: "rne" nearest, ties to the even code; "rna" ties away from zero; "rtz" toward zero; "rup",
            "rdn" toward +inf, -inf; "stochastic": the magnitude is rounded up where the top n bits of the
            discarded fraction plus the random bits reach 2^n.
        overflow: "saturate": to the largest finite value, infinities too (integers: to the ends of the
            range); "inf" (formats with infinities): as IEEE 754 section 7.4; "error": refuse numbers beyond
            the largest value, and infinities. Negative numbers into an unsigned format give 0, or are refused
            under "error".
        nan: for formats without NaN: "error", or for e2m1 what a library does: "ml_dtypes" (code 8),
            "torchao" (3), "transformer-engine" (0), "modelopt" (7). Formats with NaN give their quiet NaN,
            with the sign.
        random_bits: for "stochastic": (unsigned or int64 array, shape of x; n, 1 to 32 bits in each).
        e3m0_tie: for e3m0 (any float without stored significand) and "rne": "torch", the default there,
            rounds every tie up but half of the smallest step, which goes to 0 (the formula of LLM-FP4);
            "code_even": to the even code, as in all other formats.

    Returns:
        uint8, uint16 or uint32 codes, the smallest that holds the format, shape of x. -0, and negative
        numbers that round to 0, give -0 where the format has it. E8M0 (no zero): zero and all below 2^-127
        give code 0; ties go up under "rne" (its last place is the hidden bit; as ml_dtypes and torch).

    Raises:
        ValueError: an argument outside of the above, or a refused element (named with its index).
    """
    found = get(fmt)
    torch_tie = _torch_tie(found, rounding, e3m0_tie)
    _check_encode(found, rounding, overflow, nan, random_bits)
    values = _check.array("x", x, _FLOATS)
    out = np.empty(values.shape, _code_dtype(found))
    if (rounding, overflow, values.itemsize) == ("rne", "saturate", 4):
        bounds = _four_bit_bounds(found, torch_tie)
        if bounds is not None and inner.encode_four_bit(
            values.reshape(-1).view(np.int32), bounds, out.reshape(-1)
        ):
            return out
    random, count = np.empty(0, np.int64), 0
    if rounding == "stochastic":
        random, count = _check_random_bits(random_bits, values.shape)
    mode = inner.Mode(_ROUNDINGS.index(rounding), _OVERFLOWS.index(overflow), int(torch_tie), count)
    _encode_any(values.reshape(-1), found, nan, mode, random, out.reshape(-1))
    return out


@cache
def _value_table(fmt: Format) -> NDArray[np.float32] | None:
    """float32 values of all codes; None: too many codes, or some value that float32 does not hold.

    Values of scaled formats are rounded, nearest even.
    """
    if fmt.bits > 16:
        return None
    if fmt.scale != 1:
        return _scaled_table(fmt)
    table = np.empty(fmt.n_codes, np.uint32)
    exact = inner.decode_codes(np.arange(fmt.n_codes, dtype=np.uint32), _target(fmt, "error"), table) < 0
    table.setflags(write=False)
    return table.view(np.float32) if exact else None


def _scaled_table(fmt: Format) -> NDArray[np.float32]:
    # Level (at most 8 bits) times scale (24) fits float64, and Python divides integers correctly rounded.
    values = [float(fmt.value(code)) for code in range(fmt.n_codes)]
    signs = [-1.0 if fmt.signed and code & (fmt.magnitude_mask + 1) else 1.0 for code in range(fmt.n_codes)]
    table = decode(encode(np.copysign(values, signs), "fp32", overflow="inf"), "fp32")
    table.setflags(write=False)
    return table


def decode(codes: NDArray[Any], fmt: str | Format) -> NDArray[np.float32]:
    """Values of codes as float32, exactly; those of a scaled format rounded once, to nearest even.

    Args:
        codes: uint8, uint16 or uint32, any shape, each below 2^bits of the format.
        fmt: any Format or the name of one.

    Returns:
        float32, shape of codes. -0 keeps its sign; a NaN is the quiet NaN with the code's sign, but fp32
        codes are reinterpreted, payload included.

    Raises:
        ValueError: another dtype, a code out of range, or a code whose value float32 does not hold exactly.
    """
    found = get(fmt)
    checked = _check.array("codes", codes, ("uint8", "uint16", "uint32"))
    flat = checked.reshape(-1)
    if (table := _value_table(found)) is not None:
        values = np.empty(checked.shape, np.float32)
        if look_up(flat, table, values.reshape(-1)):
            return values
    _check.values_within("codes", flat, 0, found.n_codes - 1)
    if found == FORMATS["fp32"]:
        return checked.astype(np.uint32).view(np.float32)
    out = np.empty(flat.shape, np.uint32)
    i = int(inner.decode_codes(flat, _target(found, "error"), out))
    if i >= 0:
        raise ValueError(
            f"codes[{i}] (flat index) is {int(flat[i])}: float32 does not hold this {found.name} value"
        )
    return out.view(np.float32).reshape(checked.shape)
