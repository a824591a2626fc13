"""What each unit's RTL looks like from outside: parameters and ports, as functions of the configuration.

The benches, the simulator's list of visible signals, the golden sets and the failure messages all read
this one table.
"""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.formats import Format, get
from fpsim.verify.ports import KINDS, VECTORS, Kind, Meaning, Port, Unit
from fpsim.verify.ports import in_port as _in
from fpsim.verify.ports import out_port as _out
from fpsim.verify.ports import select as _select
from fpsim.verify.row_units import ROW_UNITS
from fpsim.verify.top_unit import TOP_UNITS
from fpsim.verify.wrapper_units import WRAPPERS

__all__ = ["KINDS", "UNIT_NAMES", "Kind", "Meaning", "Port", "Unit", "unit"]


def unit(name: str, config: ArrayConfig) -> Unit:
    """The unit of that name in that configuration, or "top"; ValueError lists the known names."""
    try:
        build = (_UNITS | TOP_UNITS | WRAPPERS)[name]
    except KeyError:
        raise ValueError(f"unit={name!r}: expected one of {', '.join(UNIT_NAMES)}") from None
    return build(config)


def _code(signal: str, fmt: Format) -> Port:
    """A port that carries one code of a format."""
    return Port(signal, fmt.bits, fmt=fmt)


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
        (_in("code", 4, meaning="code"), _in("fmt", 2, meaning="format"), _in("low", 1, meaning="flag")),
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
        _select(config, "AccW", "Formats", "Saturate", "ProductCut"),
        (
            *(_in(name, 1, meaning="flag") for name in ("en", "first", "shift")),
            *_operand("a"),
            *_operand("b"),
        ),
        (_out("acc", config.unit.acc_bits, meaning="signed"),),
    )


def _mac_array(config: ArrayConfig) -> Unit:
    return Unit(
        "mac_array",
        "stream",
        ("golden", "random"),
        _select(config, "Rows", "Cols", "Formats", "AccW", "Saturate", "Overlap", "ProductCut"),
        (
            _in("a_fmt", 2, meaning="format"),
            _in("b_fmt", 2, meaning="format"),
            *(_in(f"in_{name}", 1, meaning="flag") for name in ("first", "shift", "last", "a_low", "b_low")),
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
        VECTORS,
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
        VECTORS,
        {"N": lanes, "InW": config.unit.align_bits, "Cut": config.unit.hadamard_cut},
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
        VECTORS,
        {"W": bits, **_select(config, "GuardBits")},
        (_in("amax", bits), _in("exp", 5)),
        (_out("amp", bits), _out("scale", 19, meaning="tf32")),
    )


def _quantizer(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    return Unit(
        "quantizer",
        "stream",
        VECTORS,
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


def _mac_float(config: ArrayConfig) -> Unit:
    acc = config.unit.float_acc
    return Unit(
        "mac_float",
        "clocked",
        ("exhaustive", "random"),
        {**acc.rtl_parameters(), **_select(config, "Formats")},
        (
            _in("en", 1, meaning="flag"),
            _in("first", 1, meaning="flag"),
            *_operand("a"),
            *_operand("b"),
            _in("unit_exp", 8, meaning="signed"),
            _in("random", max(acc.random_bits, 1)),
        ),
        (_code("acc_o", acc.fmt),),
    )


def _dot(name: str, lanes: int, scale: Format) -> Unit:
    return Unit(
        name,
        "stream",
        ("random",),
        {},
        (
            _in("in_first", 1, meaning="flag"),
            _in("in_last", 1, meaning="flag"),
            _in("a_codes", 4, lanes, "code"),
            _in("b_codes", 4, lanes, "code"),
            _code("a_scale_i", scale),
            _code("b_scale_i", scale),
        ),
        (_code("out_acc_o", get("fp32")), _out("out_special", 1, meaning="flag")),
    )


def _dot_mx(config: ArrayConfig) -> Unit:
    return _dot("dot_mx", 32, get("e8m0"))


def _dot_nvfp4(config: ArrayConfig) -> Unit:
    return _dot("dot_nvfp4", 16, get("ue4m3"))


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
    "mac_float": _mac_float,
    "dot_mx": _dot_mx,
    "dot_nvfp4": _dot_nvfp4,
    **ROW_UNITS,
    "fifo": _fifo,
    "skid": _skid,
}
UNIT_NAMES = tuple(_UNITS)
