"""Codes to integers in units of the format's smallest step."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check

_UNITS_MAX = (1 << 15) - 1


@cache
def unit_table(fmt: Format) -> NDArray[np.int32]:
    """Value of every code in units of the format's smallest step, (2^bits,) int32, read-only.

    Raises:
        ValueError: not an operand format: more than 8 bits, NaN or Inf codes, or magnitudes beyond
            2^15 - 1 units.
    """
    if fmt.bits <= 8 and fmt.specials == "none":
        values = [fmt.value(code) for code in range(fmt.n_codes)]
        units = [int(v / fmt.step) for v in values if isinstance(v, Fraction)]
        if max(map(abs, units)) <= _UNITS_MAX:
            table = np.array(units, np.int32)
            table.setflags(write=False)
            return table
    raise ValueError(
        f"fmt={fmt.name!r}: expected an operand format, at most 8 bits, without NaN and Inf, of magnitudes "
        f"up to {_UNITS_MAX} steps, such as e2m1, e3m0, e1m2, int4 or int8"
    )


@cache
def max_units(fmt: Format) -> int:
    """Largest magnitude of a code, in units of the format's smallest step."""
    return int(np.abs(unit_table(fmt)).max())


@cache
def _float_table(fmt: Format) -> NDArray[np.float32]:
    table = unit_table(fmt).astype(np.float32)
    table.setflags(write=False)
    return table


@njit(cache=True, nogil=True)
def look_up(codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any]) -> bool:
    """out[i] = table[codes[i]] of flat arrays; False where some code is beyond the table."""
    seen = 0
    for code in codes:
        seen = max(seen, int(code))
    if seen >= table.shape[0]:
        return False
    for i in range(codes.shape[0]):
        out[i] = table[codes[i]]
    return True


def _decode(name: str, codes: Any, fmt: Format, table: NDArray[Any]) -> NDArray[Any]:
    checked = _check.array(name, codes, "uint8")
    out = np.empty(checked.shape, table.dtype)
    if not look_up(checked.reshape(-1), table, out.reshape(-1)):
        raise ValueError(f"{name} holds {int(checked.max())}: {fmt.name} has codes 0 to {fmt.n_codes - 1}")
    return out


def decode_units(codes: NDArray[np.uint8], fmt: str | Format) -> NDArray[np.int32]:
    """Values of codes as integers (rtl/README.md, "decode").

    Args:
        codes: uint8, any shape, each below 2^bits of the format.
        fmt: an operand format: e2m1, e3m0, e1m2, int4, int8 and others without NaN and Inf.

    Returns:
        int32, shape of codes, in units of the format's smallest step (E2M1: half units). -0 is 0.

    Raises:
        ValueError: another dtype, a code out of range, or no operand format.
    """
    found = get(fmt)
    return _decode("codes", codes, found, unit_table(found))


def decode_operand(codes: NDArray[np.uint8], fmt: str | Format) -> NDArray[np.float32]:
    """As `decode_units`, but as float32 (exact: at most 15 bits), ready for `mac_array_decoded`."""
    found = get(fmt)
    unit_table(found)
    return _decode("codes", codes, found, _float_table(found))
