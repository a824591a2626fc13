"""Argument checks of the kernels' wrappers: every refusal names argument, value and legal set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import FORMATS, Format, get

OPERAND_FORMATS = ("e2m1", "e3m0", "e1m2", "int4")

ROW_EXP_MIN, ROW_EXP_MAX = 1, 30
SPECIAL_EXP = 31  # exponent field of FP16 infinities and NaNs
AMPLITUDE_MAX = 1 << 30
AMPLITUDE_BITS = 11
GUARD_BITS_MAX = 8


def array(name: str, x: Any, dtypes: str | tuple[str, ...], ndim: int | None = None) -> NDArray[Any]:
    """x as a C-contiguous array in native byte order, copied if it is not one already.

    A read-only array is copied too: numba would compile every loop again for its type.

    Raises:
        ValueError: not an array of one of the dtypes, or another number of dimensions.
    """
    legal = (dtypes,) if isinstance(dtypes, str) else dtypes
    if not isinstance(x, np.ndarray):
        raise ValueError(f"{name}={type(x).__name__}: expected a numpy array of {' or '.join(legal)}")
    if x.dtype.name not in legal:
        raise ValueError(f"{name}.dtype={x.dtype}: expected {' or '.join(legal)}")
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"{name}.shape={x.shape}: expected {ndim} dimensions")
    native = np.asarray(x, dtype=x.dtype.newbyteorder("="), order="C")
    return native if native.flags.writeable else native.copy()


def length(name: str, x: NDArray[Any], expected: int, meaning: str) -> None:
    """Raise ValueError unless the one-dimensional x has the expected length."""
    if x.shape != (expected,):
        raise ValueError(f"{name}.shape={x.shape}: expected ({expected},), {meaning}")


def integer(name: str, value: Any, low: int, high: int) -> int:
    """value as an int. Raises ValueError unless it is an integer from low to high."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name}={value!r}: expected an integer from {low} to {high}")
    if not low <= value <= high:
        raise ValueError(f"{name}={value}: expected an integer from {low} to {high}")
    return int(value)


def choice(name: str, value: Any, legal: tuple[str, ...]) -> str:
    """Value if it is one of the legal names, else a ValueError that lists them."""
    if value not in legal:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(legal)}")
    return str(value)


def operand_format(name: str, fmt: str | Format) -> Format:
    """The 4-bit operand format that fmt names, else a ValueError that lists the four."""
    found = get(fmt)
    if found.name not in OPERAND_FORMATS or found != FORMATS[found.name]:
        raise ValueError(f"{name}={found.name!r}: expected one of {', '.join(OPERAND_FORMATS)}")
    return found


def static_scale(static: Any) -> tuple[int, int]:
    """(exp, amp) of a static scale: exp 1 to 30, amp of at most 11 significant bits; else a ValueError."""
    if not isinstance(static, tuple) or len(static) != 2:
        raise ValueError(f"static={static!r}: expected (exp, amp) or None")
    exp = integer("static exp", static[0], ROW_EXP_MIN, ROW_EXP_MAX)
    amp = integer("static amp", static[1], 0, AMPLITUDE_MAX)
    if amp >> AMPLITUDE_BITS and amp % (1 << (amp.bit_length() - AMPLITUDE_BITS)):
        raise ValueError(f"static amp={amp}: expected at most {AMPLITUDE_BITS} significant bits")
    return exp, amp


def values_within(name: str, x: NDArray[Any], low: int, high: int) -> None:
    """Raise ValueError, with the first offender, unless every element lies from low to high."""
    if x.size and (int(x.min()) < low or int(x.max()) > high):
        offender = int(x[(x < low) | (x > high)].flat[0])
        raise ValueError(f"{name} holds {offender}: expected values from {low} to {high}")


def signs_vector(signs: Any, length_k: int) -> NDArray[np.int8]:
    """Signs as an int8 array of length K (empty for None). Raises ValueError unless every element is ±1."""
    if signs is None:
        return np.empty(0, np.int8)
    checked = array("signs", signs, "int8", 1)
    length("signs", checked, length_k, "one sign per column")
    if not np.all(np.abs(checked) == 1):
        offender = int(checked[np.abs(checked) != 1][0])
        raise ValueError(f"signs holds {offender}: expected -1 or 1")
    return checked
