"""Two 4-bit codes per byte, element 0 in the low nibble."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.kernels import _check


def pack(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack 4-bit codes: byte j of a row holds element 2j in bits 3 to 0 and element 2j + 1 in bits 7 to 4.

    Args:
        codes: (..., K) uint8, each 0 to 15, K even (pad the row with code 0 yourself where it is odd).

    Returns:
        (..., K / 2) uint8.

    Raises:
        ValueError: another dtype, no axis, an odd K, or a code above 15.
    """
    checked = _check.array("codes", codes, "uint8")
    if checked.ndim == 0 or checked.shape[-1] % 2:
        raise ValueError(f"codes.shape={checked.shape}: expected a last axis of even length")
    _check.values_within("codes", checked, 0, 15)
    packed: NDArray[np.uint8] = checked[..., 0::2] | (checked[..., 1::2] << np.uint8(4))
    return packed


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo `pack`.

    Args:
        packed: (..., K / 2) uint8.

    Returns:
        (..., K) uint8 codes, each 0 to 15.

    Raises:
        ValueError: another dtype, or no axis.
    """
    checked = _check.array("packed", packed, "uint8")
    if checked.ndim == 0:
        raise ValueError("packed.shape=(): expected at least one axis")
    codes = np.empty((*checked.shape[:-1], 2 * checked.shape[-1]), np.uint8)
    codes[..., 0::2] = checked & 15
    codes[..., 1::2] = checked >> 4
    return codes
