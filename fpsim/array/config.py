"""One configuration object: the kernels' arguments, the RTL's parameters, the key of goldens and costs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.formats import Format, get

# Order is the RTL's format selector (fpsim_pkg.sv: FMT_E2M1 = 0, ...).
OPERAND_FORMATS = ("e2m1", "e3m0", "e1m2", "int4")
# Integers that the array takes nibble by nibble, in passes; they need no decoder but that of int4.
WIDE_FORMATS = ("int6", "int8")
NIBBLE_BITS = 4
OVERFLOWS = ("wrap", "saturate")
FP16_SIGNIFICAND_BITS = 11
LATER_FIELDS = ("float_acc", "product_cut", "hadamard_cut")


@dataclass(frozen=True)
class UnitConfig:
    """What every unit of the datapath is built with.

    Attributes:
        formats: operand formats that the decoders know, a subset of e2m1, e3m0, e1m2, int4.
        acc_bits: width of the exact accumulator, 9 to 40. 26 holds every mix at K = 4608.
        guard_bits: bits kept below an FP16 significand when a row is aligned, 0 to 8.
        hadamard_n: lanes of the Hadamard engine, a power of two from 2 to 128; also the block size.
        overflow: what the accumulator does beyond its width: "wrap", or "saturate" after every addition,
            which has no passes (no int6, no int8) and no zero points.
        overlap: whether the array hands over the rows of a tile while the next one loads, out of a second
            register in every element; False: the next tile waits (`fpsim.array.cycles`).
        product_cut: whether every element has a register between product and sum: one cycle more per drain.
        hadamard_cut: butterfly stages from register to register, 1 to log2 of the engine's size.
        float_acc: the accumulator of the floating processing element (`fpsim_mac_float`).
    """

    formats: tuple[str, ...] = OPERAND_FORMATS
    acc_bits: int = 26
    guard_bits: int = 4
    hadamard_n: int = 32
    overflow: str = "wrap"
    overlap: bool = True
    product_cut: bool = False
    hadamard_cut: int = 1
    float_acc: FloatAccumulator = field(default_factory=FloatAccumulator)

    def __post_init__(self) -> None:
        unknown = [f for f in self.formats if f not in OPERAND_FORMATS]
        if unknown or not self.formats or len(set(self.formats)) != len(self.formats):
            raise ValueError(
                f"formats={self.formats!r}: expected distinct names out of {', '.join(OPERAND_FORMATS)}"
            )
        _check_range("acc_bits", self.acc_bits, 9, 40)
        _check_range("guard_bits", self.guard_bits, 0, 8)
        _check_range("hadamard_n", self.hadamard_n, 2, 128)
        if self.hadamard_n & (self.hadamard_n - 1):
            raise ValueError(f"hadamard_n={self.hadamard_n}: expected a power of two")
        if self.overflow not in OVERFLOWS:
            raise ValueError(f"overflow={self.overflow!r}: expected one of {', '.join(map(repr, OVERFLOWS))}")
        _check_range("hadamard_cut", self.hadamard_cut, 1, self.hadamard_stages)
        for name, flag in (("overlap", self.overlap), ("product_cut", self.product_cut)):
            if not isinstance(flag, bool):
                raise ValueError(f"{name}={flag!r}: expected True or False")

    @property
    def align_bits(self) -> int:
        """Width of an aligned row element: sign, FP16 significand, guard bits."""
        return 1 + FP16_SIGNIFICAND_BITS + self.guard_bits

    @property
    def hadamard_stages(self) -> int:
        """Butterfly stages, log2 of the engine's size."""
        return self.hadamard_n.bit_length() - 1

    @property
    def hadamard_registers(self) -> int:
        """Registers from the engine's input to its output, its latency."""
        return -(-self.hadamard_stages // self.hadamard_cut)

    @property
    def rotated_bits(self) -> int:
        """Width of a rotated element: one bit of growth per butterfly stage."""
        return self.align_bits + self.hadamard_stages

    @property
    def wide(self) -> bool:
        """Whether int6 and int8 run, as nibbles in passes: with int4 built in, in accumulators that wrap."""
        return "int4" in self.formats and self.overflow == "wrap"

    def operand_format(self, name: str) -> Format:
        """The format, if the decoders are built with it; else a ValueError that lists those that are.

        int6 and int8 come with int4 and wrapping: they pass through the array as nibbles.
        """
        known = (*self.formats, *(WIDE_FORMATS if self.wide else ()))
        if name not in known:
            raise ValueError(f"format={name!r}: this configuration is built with {', '.join(known)}")
        return get(name)


@dataclass(frozen=True)
class ArrayConfig:
    """The accelerator: the units and the shape of the MAC array.

    Attributes:
        rows: rows R of the array (tokens), 1 to 64.
        cols: columns C of the array (output channels), 1 to 64.
        unit: what its units are built with.
    """

    rows: int = 16
    cols: int = 16
    unit: UnitConfig = field(default_factory=UnitConfig)

    def __post_init__(self) -> None:
        _check_range("rows", self.rows, 1, 64)
        _check_range("cols", self.cols, 1, 64)

    def rtl_parameters(self) -> dict[str, int]:
        """The SystemVerilog parameters of this configuration; the only translator between the two."""
        unit = self.unit
        return {
            "Rows": self.rows,
            "Cols": self.cols,
            "Formats": sum(1 << OPERAND_FORMATS.index(name) for name in unit.formats),
            "AccW": unit.acc_bits,
            "GuardBits": unit.guard_bits,
            "HadamardN": unit.hadamard_n,
            "Saturate": OVERFLOWS.index(unit.overflow),
            "Overlap": int(unit.overlap),
            "ProductCut": int(unit.product_cut),
            "HadamardCut": unit.hadamard_cut,
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain data for manifests; `from_dict` reads it back.

        Fields of `LATER_FIELDS` are left out where they have their defaults, so that what was written before
        there were any keeps its key.
        """
        data, standard = asdict(self), UnitConfig()
        for name in LATER_FIELDS:
            if getattr(self.unit, name) == getattr(standard, name):
                del data["unit"][name]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ArrayConfig:
        """The configuration that `to_dict` wrote. Raises ValueError on a missing or unknown field."""
        try:
            unit = dict(data["unit"])
            unit["formats"] = tuple(unit["formats"])
            if "float_acc" in unit:
                unit["float_acc"] = FloatAccumulator(**unit["float_acc"])
            return cls(**{**data, "unit": UnitConfig(**unit)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"configuration {data!r}: {error}") from error

    def key(self) -> str:
        """Twelve hex digits that name this configuration."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def passes(act_fmt: str, weight_fmt: str) -> int:
    """Passes of nibbles that a product takes: 1 for two 4-bit formats, 4 for int8 (or int6) times int8."""
    return -(-get(act_fmt).bits // NIBBLE_BITS) * -(-get(weight_fmt).bits // NIBBLE_BITS)


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}={value!r}: expected an integer from {low} to {high}")
