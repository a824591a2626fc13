"""Operands of exact products, laid out once for the way this machine multiplies.

Where AVX-512 VNNI is (`vnni.py`) and a format's units fit eight bits, the left operand is rows of int8 and
the right one panels: 48 rows of codes side by side, in groups of four k, as the tile reads them. Elsewhere
both are float32 for BLAS. A layout is made when it is first asked for, and kept.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check
from fpsim.kernels.decode import decode_operand, unit_table
from fpsim.kernels.pack import unpack
from fpsim.kernels.simd import VECTOR_BYTES, address, aligned_empty, avx512_in_use
from fpsim.kernels.vnni import (
    GROUP,
    OFFSET,
    TILE_COLUMNS,
    TILE_ROWS,
    look_up_codes,
    look_up_packed,
    transpose_groups,
)


class Rows(NamedTuple):
    """A left operand: units (M', K') int8, M' a multiple of 8, K' of 64, zeros from K on; starts (M',) int32,
    -128 times each row's sum."""

    units: NDArray[np.int8]
    starts: NDArray[np.int32]


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


@cache
def _byte_table(fmt: Format) -> NDArray[np.int8]:
    """Units by code, (2^bits, at least 16) int8; zeros behind."""
    table = np.zeros(max(fmt.n_codes, 16), np.int8)
    table[: fmt.n_codes] = unit_table(fmt)
    return table


@cache
def fits_bytes(fmt: Format) -> bool:
    """Whether all units of a format lie from -128 to 127."""
    units = unit_table(fmt)
    return bool(units.min() >= -OFFSET and units.max() < OFFSET)


@njit(cache=True, nogil=True)
def _decode_row(
    source: NDArray[np.uint8], packed: bool, table: NDArray[np.int8], out: NDArray[np.int8]
) -> None:
    """One row of codes to units, and zeros to the end of out, which is padded to whole vectors."""
    length = 2 * source.shape[0] if packed else source.shape[0]
    step = 32 if packed else 64
    whole = 0
    if table.shape[0] == 16:
        whole = source.shape[0] // step
        for i in range(whole):
            if packed:
                look_up_packed(address(source[32 * i :]), address(table), address(out[64 * i :]))
            else:
                look_up_codes(address(source[64 * i :]), address(table), address(out[64 * i :]))
    if packed:
        for i in range(32 * whole, source.shape[0]):
            out[2 * i] = table[source[i] & 15]
            out[2 * i + 1] = table[source[i] >> 4]
    else:
        for i in range(64 * whole, source.shape[0]):
            out[i] = table[source[i]]
    out[length:] = 0


@njit(cache=True, nogil=True)
def _fill_rows(
    source: NDArray[np.uint8],
    packed: bool,
    table: NDArray[np.int8],
    units: NDArray[np.int8],
    starts: NDArray[np.int32],
) -> None:
    """All rows of a left operand."""
    for m in range(source.shape[0]):
        _decode_row(source[m], packed, table, units[m])
        total = np.int32(0)
        row = units[m]
        for k in range(row.shape[0]):
            total = np.int32(total + row[k])
        starts[m] = -OFFSET * total


@njit(cache=True, nogil=True)
def _fill_panels(
    source: NDArray[np.uint8],
    packed: bool,
    table: NDArray[np.int8],
    rows: NDArray[np.int8],
    panels: NDArray[np.uint8],
) -> None:
    """All panels of a right operand, by 48 rows at a time.

    The last vectors of a panel may reach beyond it: into the next one, which is filled later, or the spare.
    """
    rows[:] = 0
    for p in range(panels.shape[0]):
        first = p * TILE_COLUMNS
        for n in range(first, min(first + TILE_COLUMNS, source.shape[0])):
            _decode_row(source[n], packed, table, rows[n - first])
        base = address(panels[p:])
        for g in range(0, panels.shape[1], 16):
            for c in range(0, TILE_COLUMNS, 16):
                transpose_groups(
                    address(rows[c:]) + GROUP * g,
                    rows.shape[1],
                    base + GROUP * (TILE_COLUMNS * g + c),
                    GROUP * TILE_COLUMNS,
                )


class Prepared:
    """Codes of one operand, checked, and their layouts.

    Attributes:
        fmt: an operand format (see `decode_units`).
        shape: (rows, K).
    """

    def __init__(self, codes: NDArray[np.uint8], fmt: str | Format, *, packed: bool = False) -> None:
        """Take codes, which must not change afterwards.

        Args:
            codes: (rows, K) uint8, one code per element, or with `packed` (rows, K / 2), two 4-bit codes per
                byte as `pack` makes them.
            fmt: an operand format; with `packed` of 4 bits.
            packed: whether two codes share a byte.

        Raises:
            ValueError: another dtype or shape, no operand format, or a code out of range.
        """
        self.fmt = get(fmt)
        unit_table(self.fmt)
        if packed and self.fmt.bits != 4:
            raise ValueError(f"fmt={self.fmt.name!r}: expected a format of 4 bits for packed codes")
        self._codes = _check.array("codes", codes, "uint8", 2)
        top = 0 if packed else int(self._codes.max(initial=0))
        if top >= self.fmt.n_codes:
            raise ValueError(f"codes holds {top}: {self.fmt.name} has codes 0 to {self.fmt.n_codes - 1}")
        self._packed = packed
        self.shape = (self._codes.shape[0], self._codes.shape[1] * (2 if packed else 1))
        self._rows: Rows | None = None
        self._panels: NDArray[np.uint8] | None = None
        self._float32: NDArray[np.float32] | None = None

    def in_bytes(self) -> bool:
        """Whether `rows` and `panels` can be had, on this machine, in this format."""
        return avx512_in_use() and fits_bytes(self.fmt)

    def rows(self) -> Rows:
        """The layout of a left operand; only where `in_bytes`."""
        if self._rows is None:
            count, depth = self.shape
            units = aligned_empty((_up(count, TILE_ROWS), _up(depth, VECTOR_BYTES)), np.int8)
            starts = np.zeros(units.shape[0], np.int32)
            units[count:] = 0
            table = _byte_table(self.fmt)
            _fill_rows(self._codes, self._packed, table, units, starts)
            self._rows = Rows(units, starts)
        return self._rows

    def panels(self) -> NDArray[np.uint8]:
        """The layout of a right operand: (N', ceil(K / 4), 48, 4) uint8, 128 added; only where `in_bytes`."""
        if self._panels is None:
            count, depth = self.shape
            shape = (-(-count // TILE_COLUMNS), -(-depth // GROUP), TILE_COLUMNS, GROUP)
            panels = aligned_empty(shape, np.uint8, spare=16 * GROUP * TILE_COLUMNS)
            scratch = aligned_empty((TILE_COLUMNS, _up(depth, VECTOR_BYTES)), np.int8)
            table = _byte_table(self.fmt)
            _fill_panels(self._codes, self._packed, table, scratch, panels)
            self._panels = panels
        return self._panels

    def float32(self) -> NDArray[np.float32]:
        """The units as float32, (rows, K)."""
        if self._float32 is None:
            self._float32 = decode_operand(unpack(self._codes) if self._packed else self._codes, self.fmt)
        return self._float32
