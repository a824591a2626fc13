"""The RTL units that are characterized: module, parameters, what one operation is, how each is driven."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.arith.decode import decode
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.array.cycles import sequence_cycles, tile_period
from fpsim.estimate.drive import (
    BEATS,
    IDLE,
    RESET_CYCLES,
    SETTLE_CYCLES,
    Unit,
    after_reset,
    beats,
    clocked,
    per_beat,
)
from fpsim.estimate.stimulus import Operands, Run, selector
from fpsim.estimate.units_block import block_units
from fpsim.estimate.units_compare import compare_units
from fpsim.estimate.units_float import float_units
from fpsim.estimate.units_wide import wide_units

ARRAY_SIZES = (4, 8)  # the array's cost is R*C processing elements plus an edge; two sizes give both
ARRAY_TILES = 4
ARRAY_DEPTHS = (32, 96)  # two depths of tile tell a beat's energy from a tile's drain
UNIT_EXPONENT = -2  # of E2M1 · E2M1
EPILOGUE_LANES = 2  # lanes share nothing but a one-stage handshake; cost per lane is half


def units(config: ArrayConfig) -> list[Unit]:
    """The units of a configuration, in the order of the datapath; the array in each of `ARRAY_SIZES`.

    What only serves comparison goes with the configuration of every format; it does not depend on it.
    """
    all_of, n, bits = config.rtl_parameters(), config.unit.hadamard_n, config.unit.rotated_bits
    formats = {"Formats": all_of["Formats"]}
    guard = {"GuardBits": all_of["GuardBits"]}
    mac = {**formats, "AccW": all_of["AccW"], "ProductCut": all_of["ProductCut"]}
    mac_meaning = {"mac": "one multiply-accumulate", "idle": IDLE}
    beat = f"one beat of {n} elements"
    found = [
        Unit("align", "fpsim_align", {"Lanes": n, **guard}, {"beat": beat}, _align, n, config),
        Unit("hadamard", "fpsim_hadamard",
             {"N": n, "InW": config.unit.align_bits, "Cut": all_of["HadamardCut"]},
             {"beat": beat, "idle": IDLE}, _hadamard, n, config),
        Unit("amax", "fpsim_amax", {"Lanes": n, "W": bits}, {"beat": beat}, _amax, n, config),
        Unit("row_scale", "fpsim_row_scale", {**guard, "W": bits}, {"row": "one row"}, _row_scale, 1, config),
        Unit("quantizer", "fpsim_quantizer", {"Lanes": n, "W": bits, **formats},
             {"beat": beat, "idle": IDLE}, _quantizer, n, config, True),
        Unit("decode", "fpsim_decode", formats, {"code": "one code"}, _decode, 1, config, True, True),
        Unit("mul", "fpsim_mul", formats, {"product": "one product"}, _mul, 1, config, True, True),
        Unit("mac", "fpsim_mac", mac, mac_meaning, _mac, 1, config, True, True),
        Unit("mac_float", "fpsim_mac_float", {**config.unit.float_acc.rtl_parameters(), **formats},
             mac_meaning, _mac_float, 1, config, True),
    ]  # fmt: skip
    for size in ARRAY_SIZES:
        meaning = {
            "beat": f"one beat of a tile: {size * size} multiply-accumulates",
            "drain": "taking over and draining one tile",
            "idle": IDLE,
        }
        array = ArrayConfig(size, size, config.unit)
        shape = {"Rows": size, "Cols": size, **mac}
        name = f"mac_array_{size}x{size}"
        found.append(
            Unit(name, "fpsim_mac_array", shape, meaning, _mac_array, size * size, array, True, True)
        )
    lanes = {"Lanes": EPILOGUE_LANES, "AccW": all_of["AccW"]}
    meaning = {"beat": f"one beat of {EPILOGUE_LANES} outputs", "idle": IDLE}
    found.append(Unit("epilogue", "fpsim_epilogue", lanes, meaning, _epilogue, EPILOGUE_LANES, config, True))
    compared = (
        [*compare_units(config), *float_units(config)]
        if set(config.unit.formats) == set(OPERAND_FORMATS)
        else []
    )
    return [*found, *wide_units(config), *block_units(config), *compared]


def _align(data: Operands, config: ArrayConfig) -> list[Run]:
    n, k = config.unit.hadamard_n, data.x_bits.shape[1]
    x = beats(data.x_bits, n)
    return [Run({"x_i": x, "exp_i": per_beat(data.exps, k, n)}, {"beat": len(x) - 1})]


def _amax(data: Operands, config: ArrayConfig) -> list[Run]:
    h = beats(data.rotated, config.unit.hadamard_n)
    return [Run({"h_i": h}, {"beat": len(h) - 1})]


def _row_scale(data: Operands, config: ArrayConfig) -> list[Run]:
    columns = {"amax_i": data.amaxes.astype(np.int64), "exp_i": data.exps.astype(np.int64)}
    return [Run(columns, {"row": len(data.exps) - 1})]


def _decode(data: Operands, config: ArrayConfig) -> list[Run]:
    codes = data.a_codes.astype(np.int64).ravel()[: 4 * BEATS]
    fmt = np.full(len(codes), selector(data.fmt))
    return [Run({"code_i": codes, "fmt_i": fmt}, {"code": len(codes) - 1})]


def _operand_columns(data: Operands) -> dict[str, NDArray[np.int64]]:
    columns = {}
    fields = np.array([[(o := decode(c, data.fmt)).neg, o.sig, o.shift] for c in range(16)], np.int64)
    for side, codes in (("a", data.a_codes), ("b", data.b_codes)):
        decoded = fields[codes.ravel()[: 4 * BEATS]]
        for index, name in enumerate(("neg", "sig", "shift")):
            columns[f"{side}_{name}_i"] = decoded[:, index]
    return columns


def _mul(data: Operands, config: ArrayConfig) -> list[Run]:
    columns = _operand_columns(data)
    return [Run(columns, {"product": len(columns["a_neg_i"]) - 1})]


def _mac(data: Operands, config: ArrayConfig) -> list[Run]:
    columns = _operand_columns(data)
    cycles = np.arange(len(columns["a_neg_i"]))
    columns["first_i"] = (cycles % data.a_codes.shape[1] == 0).astype(np.int64)
    return clocked(columns, "mac", ("en_i",))


def _mac_float(data: Operands, config: ArrayConfig) -> list[Run]:
    """The same; the exponent of a unit is a constant of the layer."""
    columns = _operand_columns(data)
    length = len(columns["a_neg_i"])
    columns["first_i"] = (np.arange(length) % data.a_codes.shape[1] == 0).astype(np.int64)
    columns["unit_exp_i"] = np.full(length, UNIT_EXPONENT)
    return clocked(columns, "mac", ("en_i",))


def _hadamard(data: Operands, config: ArrayConfig) -> list[Run]:
    n = config.unit.hadamard_n
    x = beats(data.aligned, n)
    signs = (data.signs < 0).astype(np.int64).reshape(-1, n)
    columns = {
        "x_i": x,
        "signs_i": np.tile(signs, (len(x) // len(signs) + 1, 1))[: len(x)],
        "enable_i": np.ones(len(x), np.int64),
    }
    return clocked(columns, "beat", ("in_valid_i",))


def _quantizer(data: Operands, config: ArrayConfig) -> list[Run]:
    n, k = config.unit.hadamard_n, data.rotated.shape[1]
    h = beats(data.rotated, n)
    fmt = np.full(len(h), selector(data.fmt))
    columns = {"h_i": h, "amp_i": per_beat(data.amps, k, n), "fmt_i": fmt}
    return clocked(columns, "beat", ("in_valid_i",))


def _epilogue(data: Operands, config: ArrayConfig) -> list[Run]:
    """The array's drains: beat after beat the tokens of one group of output channels."""
    tokens, channels = data.acc.shape
    groups = channels // EPILOGUE_LANES
    acc = data.acc[:, : groups * EPILOGUE_LANES].reshape(tokens, groups, EPILOGUE_LANES)
    beats = slice(0, BEATS)
    per_group: dict[str, NDArray[Any]] = {"col_scale_i": data.col_scales, "bias_i": data.biases}
    columns = {
        "acc_i": acc.transpose(1, 0, 2).reshape(-1, EPILOGUE_LANES)[beats],
        "row_scale_i": np.tile(data.scales.astype(np.int64), groups)[beats],
    }
    for name, values in per_group.items():
        lanes = values.astype(np.int64)[: groups * EPILOGUE_LANES].reshape(groups, EPILOGUE_LANES)
        columns[name] = np.repeat(lanes, tokens, axis=0)[beats]
    return clocked(columns, "beat", ("in_valid_i",))


def _mac_array(data: Operands, config: ArrayConfig) -> list[Run]:
    runs = [_tiles(data, config, depth) for depth in ARRAY_DEPTHS]
    idle = after_reset(dict.fromkeys(("in_valid_i", "in_first_i"), np.zeros(4 * SETTLE_CYCLES, np.int64)))
    skip = RESET_CYCLES + SETTLE_CYCLES
    return [*runs, Run(idle, {"idle": len(idle["rst_ni"]) - skip}, skip)]


def _tiles(data: Operands, config: ArrayConfig, depth: int) -> Run:
    """Tiles one after the other without a stall, as the cycle model has them."""
    rows, cols = config.rows, config.cols
    period = tile_period(config, depth)
    length = sequence_cycles(config, [depth] * ARRAY_TILES)
    flags = np.zeros((4, length), np.int64)
    a_codes, b_codes = np.zeros((length, rows), np.int64), np.zeros((length, cols), np.int64)
    for tile in range(ARRAY_TILES):
        start = tile * period
        beats = slice(start, start + depth)
        flags[0, beats] = 1  # valid
        flags[1, start], flags[2, start + depth - 1] = 1, 1  # first, last
        a_codes[beats] = np.roll(data.a_codes, -tile * rows, axis=0)[:rows, :depth].T
        b_codes[beats] = np.roll(data.b_codes, -tile * cols, axis=0)[:cols, :depth].T
    columns = after_reset({
        "in_valid_i": flags[0], "in_first_i": flags[1], "in_last_i": flags[2],
        "a_codes_i": a_codes, "b_codes_i": b_codes, "out_ready_i": flags[3] + 1,
        "a_fmt_i": np.full(length, selector(data.fmt)), "b_fmt_i": np.full(length, selector(data.fmt)),
    })  # fmt: skip
    # Selectors do not change while the array works: hold them through reset too.
    for name in ("a_fmt_i", "b_fmt_i"):
        columns[name][:] = selector(data.fmt)
    return Run(columns, {"beat": ARRAY_TILES * depth, "drain": ARRAY_TILES}, RESET_CYCLES, True)
