"""Processing elements to compare number formats with: one shell of registers, other multipliers in it.

Every accumulator is exact: as wide as the largest sum of 4608 products asks for, the widest inner dimension
of DiT-XL. All are fed the same rows; what an element's format makes of them is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.estimate.drive import BEATS, IDLE, Unit, clocked
from fpsim.estimate.stimulus import SEED, Operands, Run, selector
from fpsim.kernels.integer_quantizer import integer_quantizer
from fpsim.kernels.quantizer import amax
from fpsim.kernels.row_scale import amplitude

MODULE = "fpsim_compare_pe"
K_MAX = 4608
CODES, BAUGH_WOOLEY, OPERATOR = 0, 1, 2  # parameter Multiplier
_E2M1, _ALL = 1, 15  # parameter Formats; without E3M0:
_NARROW = _ALL & ~(1 << OPERAND_FORMATS.index("e3m0"))
LARGEST_E2M1, LARGEST_E3M0 = 12, 64  # in each format's smallest steps


@dataclass(frozen=True)
class Element:
    """One processing element: multiplier, mask of its formats, bits of a and b, the largest product's
    magnitude, and the format of its stimuli."""

    multiplier: int
    formats: int
    a_bits: int
    b_bits: int
    largest: int
    stimulus: str

    @property
    def acc_bits(self) -> int:
        """Sign and magnitude of K_MAX of the largest products."""
        return 1 + (self.largest * K_MAX).bit_length()

    @property
    def parameters(self) -> dict[str, int]:
        """The module's."""
        return {
            "Multiplier": self.multiplier,
            "Formats": self.formats,
            "AW": self.a_bits,
            "BW": self.b_bits,
            "AccW": self.acc_bits,
        }


ELEMENTS = {
    "pe_e2m1": Element(CODES, _E2M1, 4, 4, LARGEST_E2M1**2, "e2m1"),
    "pe_without_e3m0": Element(CODES, _NARROW, 4, 4, LARGEST_E2M1**2, "e2m1"),
    "pe_all_formats": Element(CODES, _ALL, 4, 4, LARGEST_E3M0**2, "e2m1"),
    "pe_int4": Element(BAUGH_WOOLEY, _ALL, 4, 4, 8 * 8, "int4"),
    "pe_w4a8": Element(BAUGH_WOOLEY, _ALL, 8, 4, 128 * 8, "w4a8"),
    "pe_int8": Element(BAUGH_WOOLEY, _ALL, 8, 8, 128 * 128, "int8"),
    "pe_int4_operator": Element(OPERATOR, _ALL, 4, 4, 8 * 8, "int4"),
    "pe_w4a8_operator": Element(OPERATOR, _ALL, 8, 4, 128 * 8, "w4a8"),
    "pe_int8_operator": Element(OPERATOR, _ALL, 8, 8, 128 * 128, "int8"),
}


def compare_units(config: ArrayConfig) -> list[Unit]:
    """The elements; the configuration is that of their stimuli's rows."""
    meaning = {"mac": "one multiply-accumulate", "idle": IDLE}
    return [
        Unit(name, MODULE, element.parameters, meaning, partial(drive, element=element), 1, config,
             takes_codes=True, own_format=element.stimulus)
        for name, element in ELEMENTS.items()
    ]  # fmt: skip


def drive(data: Operands, config: ArrayConfig, *, element: Element) -> list[Run]:
    """Codes of x and w in the element's format, a row of K after the other."""
    a_codes, b_codes = (
        codes.ravel()[: 4 * BEATS].astype(np.int64) for codes in operand_codes(data, element.stimulus)
    )
    cycles = np.arange(len(a_codes))
    columns = {
        "a_i": a_codes,
        "b_i": b_codes,
        "first_i": (cycles % data.rotated.shape[1] == 0).astype(np.int64),
        "fmt_i": np.full(len(cycles), selector("e2m1")),
    }
    return clocked(columns, "mac", ("en_i",))


def operand_codes(data: Operands, fmt: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Codes of both sides: each row by its largest magnitude, or drawn evenly for "uniform" data."""
    if fmt == "e2m1":
        return data.a_codes, data.b_codes
    names = {"int4": ("int4", "int4"), "w4a8": ("int8", "int4"), "int8": ("int8", "int8")}[fmt]
    found = []
    for place, (name, rows) in enumerate(zip(names, (data.rotated, data.w_rotated), strict=True)):
        if data.name == "uniform":
            random = np.random.default_rng(SEED + 3 + place)
            found.append(random.integers(0, 1 << (8 if name == "int8" else 4), rows.shape, np.uint8))
        else:
            found.append(integer_quantizer(rows, amplitude(amax(rows)), name))
    return found[0], found[1]
