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
DEPTH_BITS = 13  # of K, up to 8191, where zero points are taken out
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


def _lfsr(config: ArrayConfig) -> Unit:
    bits = 8 * config.unit.hadamard_n
    return Unit(
        "lfsr",
        "clocked",
        ("random",),
        {"Bits": bits},
        (_in("seed_en", 1, meaning="flag"), _in("seed", 31), _in("step", 1, meaning="flag")),
        (_out("bits", bits),),
    )


def _wide_quantizer(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    random_bits = config.unit.guard_bits + 1  # small and large ones in the tests' configurations
    return Unit(
        "wide_quantizer",
        "stream",
        ("exhaustive", "random"),
        {"Lanes": lanes, "W": bits, "RandomBits": random_bits},
        (
            _in("h", bits, lanes, "signed"),
            _in("amp", bits + 1),
            _in("format", 3),
            _in("asymmetric", 1, meaning="flag"),
            _in("zero", 8, meaning="signed"),
            _in("stochastic", 1, meaning="flag"),
            _in("random", random_bits, lanes),
        ),
        (_out("high", 4, lanes), _out("low", 4, lanes)),
    )


def _range(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    return Unit(
        "range",
        "combinational",
        ("exhaustive", "random"),
        {"Lanes": lanes, "W": bits},
        (_in("h", bits, lanes, "signed"),),
        (_out("high", bits, meaning="signed"), _out("low", bits, meaning="signed")),
    )


def _zero_point(config: ArrayConfig) -> Unit:
    bits = config.unit.rotated_bits
    return Unit(
        "zero_point",
        "stream",
        ("exhaustive", "random"),
        {"W": bits},
        (_in("low", bits, meaning="signed"), _in("span", bits + 1), _in("format", 3)),
        (_out("zero", 8, meaning="signed"),),
    )


def _row_sum(config: ArrayConfig) -> Unit:
    lanes = config.unit.hadamard_n
    return Unit(
        "row_sum",
        "clocked",
        ("random",),
        {"Lanes": lanes, "DepthW": DEPTH_BITS},
        (
            _in("en", 1, meaning="flag"),
            _in("first", 1, meaning="flag"),
            _in("high", 4, lanes),
            _in("low", 4, lanes),
        ),
        (_out("sum", 8 + DEPTH_BITS, meaning="signed"),),
    )


def _group_registers(config: ArrayConfig) -> Unit:
    bits = config.unit.rotated_bits
    return Unit(
        "group_registers",
        "clocked",
        ("random",),
        {"Groups": 16, "W": bits},
        (
            _in("write", 1, meaning="flag"),
            _in("write_group", 4),
            _in("write_exp", 5),
            _in("write_amp", bits + 1),
            _in("write_zero", 8, meaning="signed"),
            _in("static", 1, meaning="flag"),
            _in("group", 4),
            _in("row_exp", 5),
            _in("row_amp", bits + 1),
            _in("row_zero", 8, meaning="signed"),
        ),
        (_out("exp", 5), _out("amp", bits + 1), _out("zero", 8, meaning="signed")),
    )


def corrected_bits(acc_bits: int) -> int:
    """Width of an accumulator without its zero points (fpsim_zero_correction)."""
    return 2 + max(acc_bits, 38)


def _zero_correction(config: ArrayConfig) -> Unit:
    lanes, acc_bits = config.cols, config.unit.acc_bits
    sum_bits = 8 + DEPTH_BITS
    return Unit(
        "zero_correction",
        "stream",
        ("random",),
        {"Lanes": lanes, **_select(config, "AccW"), "DepthW": DEPTH_BITS},
        (
            _in("acc", acc_bits, lanes, "signed"),
            _in("row_sum", sum_bits, meaning="signed"),
            _in("act_zero", 8, meaning="signed"),
            _in("depth", DEPTH_BITS),
            _in("col_sum", sum_bits, lanes, "signed"),
            _in("weight_zero", 16, lanes, "signed"),
        ),
        (_out("sum", corrected_bits(acc_bits), lanes, "signed"),),
    )


def _wide_epilogue(config: ArrayConfig) -> Unit:
    lanes, acc_bits = config.cols, config.unit.acc_bits
    acc_bits = corrected_bits(acc_bits) if acc_bits > 38 else acc_bits  # its widest input
    return Unit(
        "wide_epilogue",
        "stream",
        ("random",),
        {"Lanes": lanes, "AccW": acc_bits},
        (
            _in("acc", acc_bits, lanes, "signed"),
            _in("row_scale", 19, meaning="tf32"),
            _in("col_scale", 19, lanes, "tf32"),
            _in("bias", 16, lanes, "fp16"),
            _in("result", 2),
        ),
        (_out("y", 32, lanes),),
    )


def _hadamard_outer(config: ArrayConfig) -> Unit:
    lanes, bits, beats = config.unit.hadamard_n, config.unit.rotated_bits, 144
    return Unit(
        "hadamard_outer",
        "stream",
        ("exhaustive", "random"),
        {"Lanes": lanes, "InW": bits, "MaxBeats": beats},
        (_in("base", 2), _in("points", 7), _in("stride", 8), _in("x", bits, lanes, "signed")),
        (_out("y", bits + 6, lanes, "signed"),),
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
    "lfsr": _lfsr,
    "wide_quantizer": _wide_quantizer,
    "range": _range,
    "zero_point": _zero_point,
    "row_sum": _row_sum,
    "group_registers": _group_registers,
    "zero_correction": _zero_correction,
    "wide_epilogue": _wide_epilogue,
    "hadamard_outer": _hadamard_outer,
}
UNIT_NAMES = tuple(_UNITS)
