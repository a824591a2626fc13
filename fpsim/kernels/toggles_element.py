"""What changes in one processing element, cycle by cycle, along a trace of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check
from fpsim.kernels.decode import unit_table
from fpsim.kernels.toggles import PRODUCT_MASK, _ones

ADD, CLEAR, TAKE = 0, 1, 3  # rtl/fpsim_pkg.sv
NAMES = ("product", "carry", "acc", "out", "op")

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ElementTrace:
    """Transitions from each cycle to the next, as the registers of the element show them.

    Attributes:
        a_from, a_to, b_from, b_to: int64 (T,) codes behind the operand registers.
        counts: int64 (T, 5), bits that changed, by `NAMES`: product, carries, accumulator (at its output and
            at its input, so a change counts twice), output register, operation.
    """

    a_from: Ints
    a_to: Ints
    b_from: Ints
    b_to: Ints
    counts: Ints


@njit(cache=True, nogil=True)
def _trace(
    x: NDArray[np.int64], w: NDArray[np.int64], op: NDArray[np.int64], mask: int, counts: NDArray[np.int64]
) -> None:
    acc = out = product = carry = before = 0
    last_change = 0  # of the accumulator's input
    op_before = 0
    for t in range(x.size):
        first = op[t] == CLEAR or op[t] == TAKE
        wide = x[t] * w[t]
        base = 0 if first else acc
        total = (base + wide) & mask
        chain = (base ^ wide ^ total) & mask
        counts[t, 0] = _ones((wide ^ product) & PRODUCT_MASK)
        counts[t, 1] = _ones(chain ^ carry)
        counts[t, 2] = last_change + _ones(total ^ acc)
        counts[t, 3] = _ones(out ^ before)
        counts[t, 4] = _ones(op[t] ^ op_before)
        last_change = _ones(total ^ acc)
        before = out
        if op[t] == TAKE:
            out = acc
        product, carry, acc, op_before = wide, chain, total, op[t]


def element_trace(
    a_codes: NDArray[Any],
    b_codes: NDArray[Any],
    ops: NDArray[Any],
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc_bits: int,
) -> ElementTrace:
    """Follow one element from rest.

    Args:
        a_codes, b_codes, ops: (T,) integers: what stands in the operand registers in each cycle.
        a_fmt, b_fmt: 4-bit operand formats.
        acc_bits: width of the accumulator, which wraps.

    Raises:
        ValueError: arrays of other lengths, a code or an operation out of range.
    """
    sides = []
    for name, values, high in (("a_codes", a_codes, 15), ("b_codes", b_codes, 15), ("ops", ops, TAKE)):
        found = np.ascontiguousarray(values, np.int64)
        _check.length(name, found, len(a_codes), "one for each cycle")
        _check.values_within(name, found, 0, high)
        sides.append(found)
    a, b, op = sides
    units = [unit_table(get(f)).astype(np.int64) for f in (a_fmt, b_fmt)]
    counts = np.zeros((len(a), len(NAMES)), np.int64)
    mask = (1 << _check.integer("acc_bits", acc_bits, 9, 40)) - 1
    _trace(units[0][a], units[1][b], op, mask, counts)
    return ElementTrace(_before(a), a, _before(b), b, counts)


def _before(codes: Ints) -> Ints:
    return np.concatenate([np.zeros(1, np.int64), codes[:-1]])
