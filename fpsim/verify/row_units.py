"""The optional units of a row's way: wide formats, zero points, random bits, results, outer factors."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.verify.ports import Unit, in_port, out_port, select

DEPTH_BITS = 13  # of K, up to 8191, where zero points are taken out


def _lfsr(config: ArrayConfig) -> Unit:
    bits = 8 * config.unit.hadamard_n
    return Unit(
        "lfsr",
        "clocked",
        ("random",),
        {"Bits": bits},
        (in_port("seed_en", 1, meaning="flag"), in_port("seed", 31), in_port("step", 1, meaning="flag")),
        (out_port("bits", bits),),
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
            in_port("h", bits, lanes, "signed"),
            in_port("amp", bits + 1),
            in_port("format", 3),
            in_port("asymmetric", 1, meaning="flag"),
            in_port("zero", 8, meaning="signed"),
            in_port("stochastic", 1, meaning="flag"),
            in_port("random", random_bits, lanes),
        ),
        (out_port("high", 4, lanes), out_port("low", 4, lanes)),
    )


def _range(config: ArrayConfig) -> Unit:
    lanes, bits = config.unit.hadamard_n, config.unit.rotated_bits
    return Unit(
        "range",
        "combinational",
        ("exhaustive", "random"),
        {"Lanes": lanes, "W": bits},
        (in_port("h", bits, lanes, "signed"),),
        (out_port("high", bits, meaning="signed"), out_port("low", bits, meaning="signed")),
    )


def _zero_point(config: ArrayConfig) -> Unit:
    bits = config.unit.rotated_bits
    return Unit(
        "zero_point",
        "stream",
        ("exhaustive", "random"),
        {"W": bits},
        (in_port("low", bits, meaning="signed"), in_port("span", bits + 1), in_port("format", 3)),
        (out_port("zero", 8, meaning="signed"),),
    )


def _row_sum(config: ArrayConfig) -> Unit:
    lanes = config.unit.hadamard_n
    return Unit(
        "row_sum",
        "clocked",
        ("random",),
        {"Lanes": lanes, "DepthW": DEPTH_BITS},
        (
            in_port("en", 1, meaning="flag"),
            in_port("first", 1, meaning="flag"),
            in_port("high", 4, lanes),
            in_port("low", 4, lanes),
        ),
        (out_port("sum", 8 + DEPTH_BITS, meaning="signed"),),
    )


def _group_registers(config: ArrayConfig) -> Unit:
    bits = config.unit.rotated_bits
    return Unit(
        "group_registers",
        "clocked",
        ("random",),
        {"Groups": 16, "W": bits},
        (
            in_port("write", 1, meaning="flag"),
            in_port("write_group", 4),
            in_port("write_exp", 5),
            in_port("write_amp", bits + 1),
            in_port("write_zero", 8, meaning="signed"),
            in_port("static", 1, meaning="flag"),
            in_port("group", 4),
            in_port("row_exp", 5),
            in_port("row_amp", bits + 1),
            in_port("row_zero", 8, meaning="signed"),
        ),
        (out_port("exp", 5), out_port("amp", bits + 1), out_port("zero", 8, meaning="signed")),
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
        {"Lanes": lanes, **select(config, "AccW"), "DepthW": DEPTH_BITS},
        (
            in_port("acc", acc_bits, lanes, "signed"),
            in_port("row_sum", sum_bits, meaning="signed"),
            in_port("act_zero", 8, meaning="signed"),
            in_port("depth", DEPTH_BITS),
            in_port("col_sum", sum_bits, lanes, "signed"),
            in_port("weight_zero", 16, lanes, "signed"),
        ),
        (out_port("sum", corrected_bits(acc_bits), lanes, "signed"),),
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
            in_port("acc", acc_bits, lanes, "signed"),
            in_port("row_scale", 19, meaning="tf32"),
            in_port("col_scale", 19, lanes, "tf32"),
            in_port("bias", 16, lanes, "fp16"),
            in_port("result", 2),
        ),
        (out_port("y", 32, lanes),),
    )


def _hadamard_outer(config: ArrayConfig) -> Unit:
    lanes, bits, beats = config.unit.hadamard_n, config.unit.rotated_bits, 144
    return Unit(
        "hadamard_outer",
        "stream",
        ("exhaustive", "random"),
        {"Lanes": lanes, "InW": bits, "MaxBeats": beats},
        (in_port("base", 2), in_port("points", 7), in_port("stride", 8), in_port("x", bits, lanes, "signed")),
        (out_port("y", bits + 6, lanes, "signed"),),
    )


ROW_UNITS = {
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
