"""A unit as it looks from outside: its ports, its parameters, how it is driven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fpsim.array.config import ArrayConfig
from fpsim.formats import Format

Meaning = Literal["unsigned", "signed", "fp16", "tf32", "code", "format", "flag"]
Style = Literal["combinational", "clocked", "stream", "axi"]
Kind = Literal["golden", "exhaustive", "random", "sequences"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VECTORS: tuple[Kind, ...] = ("golden", "exhaustive", "random")
STREAM_SIGNALS = ("clk_i", "rst_ni", "in_valid_i", "in_ready_o", "out_valid_o", "out_ready_i")


@dataclass(frozen=True)
class Port:
    """One data port.

    Attributes:
        signal: the SystemVerilog port, with its _i or _o.
        bits: width of one lane.
        lanes: lanes packed in the port, lane 0 in the lowest bits.
        meaning: how a lane reads as a value.
        fmt: the format that a lane is a code of, where no meaning names it.
    """

    signal: str
    bits: int
    lanes: int = 1
    meaning: Meaning = "unsigned"
    fmt: Format | None = None

    @property
    def name(self) -> str:
        """Field name, as in golden sets: the port without _i, _o; a bus signal has neither."""
        return self.signal[:-2] if self.signal.endswith(("_i", "_o")) else self.signal

    @property
    def width(self) -> int:
        """Width of the port in bits."""
        return self.bits * self.lanes

    def lane(self, word: int, index: int) -> int:
        """Raw bits of one lane of a word."""
        return (word >> (index * self.bits)) & ((1 << self.bits) - 1)


@dataclass(frozen=True)
class Unit:
    """One RTL unit in one configuration.

    Attributes:
        name: name of the unit, its law and its bench.
        style: "combinational", "clocked" (a register with an enable), "stream" (valid/ready on both
            sides) or "axi" (buses).
        kinds: kinds of vectors that its bench has; sequences are the same bench for all, but for the top.
        parameters: of the SystemVerilog module.
        inputs, outputs: data ports; clock, reset and handshake follow from the style.
    """

    name: str
    style: Style
    kinds: tuple[Kind, ...]
    parameters: dict[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def top(self) -> str:
        """Name of the SystemVerilog module."""
        return f"fpsim_{self.name}"

    def has(self, kind: str) -> bool:
        """Whether there is such a kind of vectors for the unit."""
        return kind in self.kinds or (kind == "sequences" and self.style != "axi")

    @property
    def signals(self) -> tuple[str, ...]:
        """Every port of the module: what the simulator must leave visible."""
        control: tuple[str, ...] = {
            "combinational": (),
            "clocked": ("clk_i", "rst_ni"),
            "stream": STREAM_SIGNALS,
            "axi": ("clk_i", "rst_ni"),
        }[self.style]
        return control + tuple(port.signal for port in self.inputs + self.outputs)


def in_port(name: str, bits: int, lanes: int = 1, meaning: Meaning = "unsigned") -> Port:
    """An input."""
    return Port(f"{name}_i", bits, lanes, meaning)


def out_port(name: str, bits: int, lanes: int = 1, meaning: Meaning = "unsigned") -> Port:
    """An output."""
    return Port(f"{name}_o", bits, lanes, meaning)


def select(config: ArrayConfig, *names: str) -> dict[str, int]:
    """Some of the configuration's SystemVerilog parameters."""
    values = config.rtl_parameters()
    return {name: values[name] for name in names}
