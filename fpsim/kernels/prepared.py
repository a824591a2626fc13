"""Operands of exact products, laid out once for the way this machine multiplies.

Where AVX-512 VNNI is (`vnni.py`) and a format's units fit eight bits, the left operand is rows of int8 and
the right one panels: 48 rows of codes side by side, in groups of four k, as the tile reads them. Elsewhere
both are float32 for BLAS. A layout is made when it is first asked for, and kept, or
made anew, panel by panel, for an operand that is used once.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

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


class Panels(NamedTuple):
    """A right operand: all panels, or room for one and what it takes to fill it.

    Attributes:
        blocks: (N', ceil(K / 4), 48, 4) uint8, 128 added to each unit; N' = 1 where not ready.
        ready: whether they are filled. If not, each panel is made when the product comes to it, and stays in
            the nearer caches: faster for an operand that is used once.
        source, packed, table: codes, whether two share a byte, and units by code.
        rows: (48, K') int8, scratch.
    """

    blocks: NDArray[np.uint8]
    ready: bool
    source: NDArray[np.uint8]
    packed: bool
    table: NDArray[np.int8]
    rows: NDArray[np.int8]


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


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
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


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _fill_panel(panels: Panels, p: int, out: int) -> None:
    """Panel p, at an address; what its last vectors hold beyond it is overwritten later, or spare."""
    rows, source = panels.rows, panels.source
    first = p * TILE_COLUMNS
    for c in range(TILE_COLUMNS):
        if first + c < source.shape[0]:
            _decode_row(source[first + c], panels.packed, panels.table, rows[c])
        else:
            rows[c] = 0
    for g in range(0, panels.blocks.shape[1], 16):
        for c in range(0, TILE_COLUMNS, 16):
            begin = address(rows) + c * rows.shape[1] + GROUP * g
            end = out + GROUP * (TILE_COLUMNS * g + c)
            transpose_groups(begin, rows.shape[1], end, GROUP * TILE_COLUMNS)


@njit(cache=True, nogil=True)
def _fill_panels(panels: Panels) -> None:
    for p in range(panels.blocks.shape[0]):
        _fill_panel(panels, p, address(panels.blocks) + p * panels.blocks.strides[0])


@njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
def panel_at(panels: Panels, p: int) -> Any:
    """The address of panel p, until the next call."""
    if panels.ready:
        return address(panels.blocks) + p * panels.blocks.strides[0]
    _fill_panel(panels, p, address(panels.blocks))
    return address(panels.blocks)


class Prepared:
    """Codes of one operand, checked, and their layouts.

    Attributes:
        fmt: an operand format (see `decode_units`).
        shape: (rows, K).
    """

    def __init__(
        self, codes: NDArray[np.uint8], fmt: str | Format, *, packed: bool = False, keep: bool = True
    ) -> None:
        """Take codes, which must not change afterwards.

        Args:
            codes: (rows, K) uint8, one code per element, or with `packed` (rows, K / 2), two 4-bit codes per
                byte as `pack` makes them.
            fmt: an operand format; with `packed` of 4 bits.
            packed: whether two codes share a byte.
            keep: whether a right operand's panels are kept for further products.

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
        self._keep = keep
        self.shape = (self._codes.shape[0], self._codes.shape[1] * (2 if packed else 1))
        self._rows: Rows | None = None
        self._panels: Panels | None = None
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

    def panels(self) -> Panels:
        """The layout of a right operand; only where `in_bytes`."""
        if self._panels is not None:
            return self._panels
        count, depth = self.shape
        number = -(-count // TILE_COLUMNS) if self._keep else 1
        shape = (number, -(-depth // GROUP), TILE_COLUMNS, GROUP)
        blocks = aligned_empty(shape, np.uint8, spare=16 * GROUP * TILE_COLUMNS)
        rows = aligned_empty((TILE_COLUMNS, _up(depth, VECTOR_BYTES)), np.int8)
        panels = Panels(blocks, False, self._codes, self._packed, _byte_table(self.fmt), rows)
        if not self._keep:
            return panels
        _fill_panels(panels)
        self._panels = panels._replace(ready=True)
        return self._panels

    def float32(self) -> NDArray[np.float32]:
        """The units as float32, (rows, K)."""
        if self._float32 is None:
            self._float32 = decode_operand(unpack(self._codes) if self._packed else self._codes, self.fmt)
        return self._float32
