"""What each unit's RTL looks like from outside: parameters and ports, as functions of the configuration.

The benches, the simulator's list of visible signals, the golden sets and the failure messages all read
this one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fpsim.array.config import ArrayConfig

Meaning = Literal["unsigned", "signed", "fp16", "tf32", "code", "format", "flag"]
Style = Literal["combinational", "clocked", "stream"]
Kind = Literal["golden", "exhaustive", "random"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STREAM_SIGNALS = ("clk_i", "rst_ni", "in_valid_i", "in_ready_o", "out_valid_o", "out_ready_i")


@dataclass(frozen=True)
class Port:
    """One data port.

    Attributes:
        signal: the SystemVerilog port, with its _i or _o.
        bits: width of one lane.
        lanes: lanes packed in the port, lane 0 in the lowest bits.
        meaning: how a lane reads as a value.
    """

    signal: str
    bits: int
    lanes: int = 1
    meaning: Meaning = "unsigned"

    @property
    def name(self) -> str:
        """Field name, as in golden sets: the port without _i, _o."""
        return self.signal[:-2]

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
        style: "combinational", "clocked" (a register with an enable) or "stream" (valid/ready on both sides).
        kinds: kinds of vectors that its bench has.
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

    @property
    def signals(self) -> tuple[str, ...]:
        """Every port of the module: what the simulator must leave visible."""
        control: tuple[str, ...] = {
            "combinational": (),
            "clocked": ("clk_i", "rst_ni"),
            "stream": STREAM_SIGNALS,
        }[self.style]
        return control + tuple(port.signal for port in self.inputs + self.outputs)


def unit(name: str, config: ArrayConfig) -> Unit:
    """The unit of that name in that configuration; ValueError lists the known names."""
    try:
        build = _UNITS[name]
    except KeyError:
        raise ValueError(f"unit={name!r}: expected one of {', '.join(UNIT_NAMES)}") from None
    return build(config)


def _in(name: str, bits: int, lanes: int = 1, meaning: Meaning = "unsigned") -> Port:
    return Port(f"{name}_i", bits, lanes, meaning)


def _out(name: str, bits: int, lanes: int = 1, meaning: Meaning = "unsigned") -> Port:
    return Port(f"{name}_o", bits, lanes, meaning)


def _select(config: ArrayConfig, *names: str) -> dict[str, int]:
    values = config.rtl_parameters()
    return {name: values[name] for name in names}


def _operand(side: str) -> tuple[Port, ...]:
    return (
        _in(f"{side}_neg", 1, meaning="flag"),
        _in(f"{side}_sig", 4),
        _in(f"{side}_shift", 3),
    )


def _decode(config: ArrayConfig) -> Unit:
    return Unit(
        "decode",
        "combinational",
        ("exhaustive",),
        _select(config, "Formats"),
        (_in("code", 4, meaning="code"), _in("fmt", 2, meaning="format")),
        (_out("neg", 1, meaning="flag"), _out("sig", 4), _out("shift", 3)),
    )


def _mul(config: ArrayConfig) -> Unit:
    return Unit(
        "mul",
        "combinational",
        ("exhaustive",),
        _select(config, "Formats"),
        _operand("a") + _operand("b"),
        (_out("product", 14, meaning="signed"),),
    )


def _mac(config: ArrayConfig) -> Unit:
    return Unit(
        "mac",
        "clocked",
        ("exhaustive", "random"),
        _select(config, "AccW", "Formats"),
        (_in("en", 1, meaning="flag"), _in("first", 1, meaning="flag"), *_operand("a"), *_operand("b")),
        (_out("acc", config.unit.acc_bits, meaning="signed"),),
    )


def _mac_array(config: ArrayConfig) -> Unit:
    return Unit(
        "mac_array",
        "stream",
        ("golden", "random"),
        _select(config, "Rows", "Cols", "Formats", "AccW"),
        (
            _in("a_fmt", 2, meaning="format"),
            _in("b_fmt", 2, meaning="format"),
            _in("in_first", 1, meaning="flag"),
            _in("in_last", 1, meaning="flag"),
            _in("a_codes", 4, config.rows, "code"),
            _in("b_codes", 4, config.cols, "code"),
        ),
        (
            _out("out_acc", config.unit.acc_bits, config.cols, "signed"),
            _out("out_last", 1, meaning="flag"),
        ),
    )


def _align(config: ArrayConfig) -> Unit:
    lanes = config.unit.hadamard_n
    return Unit(
        "align",
        "combinational",
        KINDS,
        {"Lanes": lanes, **_select(config, "GuardBits")},
        (_in("x", 16, lanes, "fp16"), _in("exp", 5)),
        (
            _out("int", config.unit.align_bits, lanes, "signed"),
            _out("exp_max", 5),
            _out("special", 1, meaning="flag"),
        ),
    )


def _hadamard(config: ArrayConfig) -> Unit:
    lanes = config.unit.hadamard_n
    return Unit(
        "hadamard",
        "stream",
        KINDS,
        {"N": lanes, "InW": config.unit.align_bits},
        (
            _in("enable", 1, meaning="flag"),
            _in("signs", 1, lanes, "flag"),
            _in("x", config.unit.align_bits, lanes, "signed"),
        ),
        (_out("y", config.unit.rotated_bits, lanes, "signed"),),
    )


def _amax(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    return Unit(
        "amax",
        "combinational",
        ("exhaustive", "random"),
        {"Lanes": lanes, "W": bits},
        (_in("h", bits, lanes, "signed"),),
        (_out("amax", bits),),
    )


def _row_scale(config: ArrayConfig) -> Unit:
    bits = config.unit.rotated_bits
    return Unit(
        "row_scale",
        "combinational",
        KINDS,
        {"W": bits, **_select(config, "GuardBits")},
        (_in("amax", bits), _in("exp", 5)),
        (_out("amp", bits), _out("scale", 19, meaning="tf32")),
    )


def _quantizer(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    return Unit(
        "quantizer",
        "stream",
        KINDS,
        {"Lanes": lanes, "W": bits, **_select(config, "Formats")},
        (_in("h", bits, lanes, "signed"), _in("amp", bits), _in("fmt", 2, meaning="format")),
        (_out("codes", 4, lanes, "code"),),
    )


def _epilogue(config: ArrayConfig) -> Unit:
    lanes, acc_bits = config.cols, config.unit.acc_bits
    return Unit(
        "epilogue",
        "stream",
        ("golden", "random"),
        {"Lanes": lanes, **_select(config, "AccW")},
        (
            _in("acc", acc_bits, lanes, "signed"),
            _in("row_scale", 19, meaning="tf32"),
            _in("col_scale", 19, lanes, "tf32"),
            _in("bias", 16, lanes, "fp16"),
        ),
        (_out("y", 16, lanes, "fp16"),),
    )


def _fifo(config: ArrayConfig) -> Unit:
    # As deep as a tile has rows, as wide as an accumulator: any sizes would do.
    return _queue("fifo", config, {"Depth": config.rows})


def _skid(config: ArrayConfig) -> Unit:
    return _queue("skid", config, {})


def _queue(name: str, config: ArrayConfig, parameters: dict[str, int]) -> Unit:
    bits = config.unit.acc_bits
    return Unit(
        name,
        "stream",
        ("exhaustive", "random"),
        {"W": bits, **parameters},
        (_in("data", bits),),
        (_out("data", bits),),
    )


_UNITS = {
    "decode": _decode,
    "mul": _mul,
    "mac": _mac,
    "mac_array": _mac_array,
    "align": _align,
    "hadamard": _hadamard,
    "amax": _amax,
    "row_scale": _row_scale,
    "quantizer": _quantizer,
    "epilogue": _epilogue,
    "fifo": _fifo,
    "skid": _skid,
}
UNIT_NAMES = tuple(_UNITS)
