"""The units of wide and asymmetric operands, characterized: INT8 rows with a zero point each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
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
from fpsim.estimate.stimulus import Operands, Run
from fpsim.kernels.integer_quantizer import integer_quantizer, zero_points
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.row_scale import amplitude
from fpsim.kernels.zero_sums import code_sums

FORMAT = "int8"
FORMAT_SELECTOR = 5  # fpsim_row_pkg: QUANT_INT8
RANDOM_BITS = 1  # the fewest; rounding is to nearest here
QUANTIZER_PERIOD, ZERO_POINT_PERIOD = 9 + RANDOM_BITS, 10  # cycles per beat, per row (rtl/README.md)
SLOW_BEATS = 64  # of the units that take several cycles for one
LANES = 2  # as the epilogue's: lanes share nothing but a handshake

Ints = NDArray[np.int64]


def wide_units(config: ArrayConfig) -> list[Unit]:
    """The units of zero points and of INT6 and INT8, which go with a machine that has INT4."""
    if not config.unit.wide:
        return []
    all_of, n, bits = config.rtl_parameters(), config.unit.hadamard_n, config.unit.rotated_bits
    acc, lanes = {"AccW": all_of["AccW"]}, {"Lanes": LANES}
    beat, outputs = f"one beat of {n} elements", f"one beat of {LANES} outputs"
    rows = {"Lanes": n, "W": bits}
    return [
        Unit("range", "fpsim_range", rows, {"beat": beat}, _range, n, config),
        Unit("zero_point", "fpsim_zero_point", {"W": bits},
             {"row": "one row", "idle": IDLE}, _zero, 1, config),
        Unit("wide_quantizer", "fpsim_wide_quantizer", {**rows, "RandomBits": RANDOM_BITS},
             {"beat": beat, "idle": IDLE}, _quantizer, n, config),
        Unit("row_sum", "fpsim_row_sum", {"Lanes": n}, {"beat": beat, "idle": IDLE}, _row_sum, n, config),
        Unit("zero_correction", "fpsim_zero_correction", {**lanes, **acc},
             {"beat": outputs, "idle": IDLE}, _correction, LANES, config),
        Unit("wide_epilogue", "fpsim_wide_epilogue", {**lanes, **acc},
             {"beat": outputs, "idle": IDLE}, _epilogue, LANES, config),
    ]  # fmt: skip


def _asymmetric(h: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Spans, zero points and codes of rotated rows."""
    low, high = np.minimum(h.min(axis=1), 0), np.maximum(h.max(axis=1), 0)
    spans = amplitude((high - low).astype(np.int32))
    zeros = zero_points(low.astype(np.int32), spans, FORMAT)
    return spans, zeros, integer_quantizer(h, spans, FORMAT, zeros)


def _range(data: Operands, config: ArrayConfig) -> list[Run]:
    h = beats(data.rotated, config.unit.hadamard_n)
    return [Run({"h_i": h}, {"beat": len(h) - 1})]


def _slowly(columns: dict[str, Ints], operation: str, period: int) -> list[Run]:
    """One beat every so many cycles, its inputs held meanwhile; and none."""
    length = len(next(iter(columns.values())))
    held = {name: np.repeat(values, period, axis=0) for name, values in columns.items()}
    cycles = np.arange(length * period)
    held["in_valid_i"] = (cycles % period == 0).astype(np.int64)
    held["out_ready_i"] = np.ones(len(cycles), np.int64)
    busy = after_reset(held)
    idle = {name: values.copy() for name, values in busy.items()}
    idle["in_valid_i"][:] = 0
    skip = RESET_CYCLES + -(-SETTLE_CYCLES // period) * period
    counted = length - (skip - RESET_CYCLES) // period
    return [
        Run(busy, {operation: counted}, skip, True),
        Run(idle, {"idle": counted * period}, skip, True),
    ]


def _zero(data: Operands, config: ArrayConfig) -> list[Run]:
    spans, _, _ = _asymmetric(data.rotated)
    columns = {"low_i": np.minimum(data.rotated.min(axis=1), 0), "span_i": spans}
    chosen = {name: values[:SLOW_BEATS].astype(np.int64) for name, values in columns.items()}
    return _slowly(
        {**chosen, "format_i": np.full(len(chosen["span_i"]), FORMAT_SELECTOR)}, "row", ZERO_POINT_PERIOD
    )


def _quantizer(data: Operands, config: ArrayConfig) -> list[Run]:
    n, k = config.unit.hadamard_n, data.rotated.shape[1]
    spans, zeros, _ = _asymmetric(data.rotated)
    columns = {
        "h_i": beats(data.rotated, n),
        "amp_i": per_beat(spans, k, n),
        "zero_i": per_beat(zeros, k, n),
    }
    columns["format_i"] = np.full(BEATS, FORMAT_SELECTOR)
    columns["asymmetric_i"] = np.ones(BEATS, np.int64)
    return _slowly({name: values[:SLOW_BEATS] for name, values in columns.items()}, "beat", QUANTIZER_PERIOD)


def _row_sum(data: Operands, config: ArrayConfig) -> list[Run]:
    n, k = config.unit.hadamard_n, data.rotated.shape[1]
    codes = beats(_asymmetric(data.rotated)[2], n)
    first = (np.arange(len(codes)) % (k // n) == 0).astype(np.int64)
    return clocked({"high_i": codes >> 4, "low_i": codes & 15, "first_i": first}, "beat", ("en_i",))


def _outputs(data: Operands, config: ArrayConfig) -> tuple[Ints, Ints, Ints, dict[str, Ints]]:
    """Accumulators beat by beat, each beat's row and columns, and figures of rows and columns."""
    _, act_zero, a_codes = _asymmetric(data.rotated)
    _, weight_zero, b_codes = _asymmetric(data.w_rotated)
    acc = mac_array(a_codes, b_codes, FORMAT, FORMAT, config.unit.acc_bits)
    figures = {
        "act_zero": act_zero.astype(np.int64),
        "weight_zero": weight_zero.astype(np.int64),
        "row_sum": code_sums(a_codes, FORMAT),
        "col_sum": code_sums(b_codes, FORMAT),
    }
    beat = np.arange(BEATS)
    rows = beat % len(a_codes)
    columns = (beat // len(a_codes) * LANES)[:, None] % len(b_codes) + np.arange(LANES)
    return acc[rows[:, None], columns], rows, columns, figures


def _correction(data: Operands, config: ArrayConfig) -> list[Run]:
    acc, rows, columns, figures = _outputs(data, config)
    ports = {
        "acc_i": acc,
        "row_sum_i": figures["row_sum"][rows],
        "act_zero_i": figures["act_zero"][rows],
        "depth_i": np.full(BEATS, data.rotated.shape[1]),
        "col_sum_i": figures["col_sum"][columns],
        "weight_zero_i": figures["weight_zero"][columns],
    }
    return clocked(ports, "beat", ("in_valid_i",))


def _epilogue(data: Operands, config: ArrayConfig) -> list[Run]:
    acc, rows, columns, _ = _outputs(data, config)
    ports = {
        "acc_i": acc,
        "row_scale_i": data.scales.astype(np.int64)[rows],
        "col_scale_i": data.col_scales.astype(np.int64)[columns],
        "bias_i": data.biases.astype(np.int64)[columns],
    }
    return clocked(ports, "beat", ("in_valid_i",))
