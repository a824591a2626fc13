"""Faults of the accelerator's top: registers, order, rows, codes, weights, results."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.fault import Fault

# As small as ragged tiles, blocks and rows allow: every fault is a build of its own.
_CONFIG = ArrayConfig(2, 2, UnitConfig(hadamard_n=4))


def _fault(name: str, file: str, find: str, replace: str, meaning: str) -> Fault:
    return Fault(f"top-{name}", "top", f"fpsim_{file}.sv", find, replace, meaning, _CONFIG)


TOP_FAULTS = (
    _fault(
        "tlast",
        "row_align",
        "if (taken && x_last_i != last_i) error_o = ERROR_X_LAST;",
        "if (taken && x_last_i && !last_i) error_o = ERROR_X_LAST;",
        "a row without a tlast is taken",
    ),
    _fault(
        "mask",
        "lane_mask",
        "(!en_i || LANE_W'(i) <= highest_i)",
        "(!en_i || LANE_W'(i / 2) <= highest_i)",
        "lanes behind the end of a row count",
    ),
    _fault(
        "row-exponent",
        "row_align",
        "if (taken && (at_i == '0 || beat_exp > largest_q)) largest_q <= beat_exp;",
        "if (taken && beat_exp > largest_q) largest_q <= beat_exp;",
        "the exponent of one row stays for the next one",
    ),
    _fault(
        "amax",
        "row_amplitude",
        "if (beat_i && (first_i || beat_amax > amax_q)) amax_q <= beat_amax;",
        "if (beat_i) amax_q <= beat_amax;",
        "the last beat alone makes the amplitude",
    ),
    _fault(
        "signs",
        "row_phases",
        "if (read_o) fetched_at_q <= in_at_q;",
        "if (read_o) fetched_at_q <= in_at_q + 1'b1;",
        "a beat is rotated with the next one's signs",
    ),
    _fault(
        "keep",
        "tile_drain",
        "assign y_keep_o[2*c +: 2] = {2{real_col}};",
        "assign y_keep_o[2*c +: 2] = 2'b11;",
        "columns beyond N count",
    ),
    _fault(
        "code-hold",
        "weight_loader",
        "assign read_en_o = taken && (codes || last_col);",
        "assign read_en_o = run_i && (codes || last_col);",
        "activations go on while weights are waited for",
    ),
    _fault(
        "lost-tile",
        "top_control",
        "assign more_loads = load_left_q > 16'(Cols);",
        "assign more_loads = load_left_q >= 16'(2 * Cols);",
        "a ragged last tile of columns is left out",
    ),
    _fault(
        "wide-wait",
        "row_phases",
        "assign read_o = unread_q && !load_o && (!fetched_q || accept_i);",
        "assign read_o = unread_q && !load_o;",
        "beats are read while the dividers are busy",
    ),
    _fault(
        "wide-high",
        "row_quantizer",
        "assign high_o = divide ? high : '0;",
        "assign high_o = divide ? low : '0;",
        "both nibbles of an activation are the low one",
    ),
    _fault(
        "pass-order",
        "weight_loader",
        "if (b_low_q == b_wide_i) a_low_d = a_wide_i && !a_low_q;",
        "a_low_d = a_wide_i && !a_low_q;",
        "of two wide operands only two passes run",
    ),
    _fault(
        "pass-weight",
        "weight_loader",
        "assign beat_shift_o = k_q == '0 && (b_low_q || (a_low_q && !b_wide_i));",
        "assign beat_shift_o = k_q == '0 && (b_low_q || a_low_q);",
        "low times high weighs less than high times low",
    ),
    _fault(
        "pass-nibble",
        "nibble_banks",
        "assign codes_o = high_q ? high_codes : low_codes;",
        "assign codes_o = high_q ? low_codes : high_codes;",
        "the activations' nibbles come in the wrong order",
    ),
    _fault(
        "wide-format",
        "top_check",
        "built_in = Wide != 0 && fmt <= fpsim_row_pkg::QUANT_INT8;",
        "built_in = Wide != 0;",
        "a selector that no format has is taken",
    ),
    _fault(
        "span",
        "row_amplitude",
        "assign found = asymmetric_i ? {1'b0, high_q} - {low_q[W-1], low_q} : {1'b0, amax_q};",
        "assign found = asymmetric_i ? {1'b0, high_q} : {1'b0, amax_q};",
        "what lies below 0 does not widen a row's span",
    ),
    _fault(
        "zero-wait",
        "row_path",
        ".in_valid_i (fetched && quantize && amplitude_ready),",
        ".in_valid_i (fetched && quantize),",
        "a row is quantized before its zero point is there",
    ),
    _fault(
        "sum-mask",
        "row_quantizer",
        ".en_i (out_last_i),",
        ".en_i (1'b0),",
        "codes behind the end of a row count in its sum",
    ),
    _fault(
        "sum-row",
        "tile_drain",
        "if (sum_en_q) sums_q[sum_row_q] <= sum_i;",
        "if (sum_en_q) sums_q[scale_row_i] <= sum_i;",
        "a row's sum goes to the next one",
    ),
    _fault(
        "scale-late",
        "tile_drain",
        ".row_scale_i(scales_q[scale_row]),",
        ".row_scale_i(scales_q[row_q[ROW_W-1:0]]),",
        "the epilogue has the scale of a row that is still corrected",
    ),
    _fault(
        "zero-free",
        "tile_drain",
        ".weight_zero_i(b_zero_i ? weight_zero_i : '0),",
        ".weight_zero_i(weight_zero_i),",
        "zero points of weights count in layers that have none",
    ),
    _fault(
        "zero-limit",
        "top_check",
        "zero_i + half < half << 1;",
        "zero_i + half <= half << 1;",
        "the first zero point that is no code is taken",
    ),
    _fault(
        "room",
        "column_bank",
        "assign room_o = held_q != HELD_W'(TILES);",
        "assign room_o = 1'b1;",
        "scales of a tile are replaced while its results wait",
    ),
    _fault(
        "faulty-tile",
        "weight_loader",
        "assign beat_valid_o = run_i && codes && w_valid_i && w_last_i == last_beat;",
        "assign beat_valid_o = run_i && codes && w_valid_i;",
        "results of a tile with an error come out",
    ),
    _fault(
        "stop-early",
        "top_control",
        "if (all_left) state_d = StStopped;",
        "state_d = StStopped;",
        "an error takes back the results of the tiles before it",
    ),
    _fault(
        "outer-first",
        "row_phases",
        "if (first_i) state_d = StFirst;",
        "if (first_i && !second_i) state_d = StFirst;",
        "of two factors of a rotation only the outer one is applied",
    ),
    _fault(
        "outer-stride",
        "row_rotation",
        ".stride_i (second_i && points_i > 7'd1 ? AT_W'(points_i) : AT_W'(1)),",
        ".stride_i (AT_W'(1)),",
        "the outer factor runs over neighbours, not over blocks of the inner one",
    ),
    _fault(
        "outer-range",
        "row_path",
        ".beat_i (rotated_valid),",
        ".beat_i (rotated_valid && rotate),",
        "a row's amplitude is that of its beats before they are rotated across",
    ),
    _fault(
        "outer-blocks",
        "top_check",
        "assign whole = across ? block * 40'(blocks) == 40'(k_i)",
        "assign whole = across ? block * 40'(blocks) >= 40'(k_i)",
        "a row that its blocks do not make is taken",
    ),
    _fault(
        "row-scale",
        "tile_drain",
        "if (scale_en_i) scales_q[scale_row_i] <= scale_i;",
        "if (scale_en_i && scale_row_i == '0) scales_q[scale_row_i] <= scale_i;",
        "only the first row's scale is kept",
    ),
    _fault(
        "done-early",
        "top_control",
        "assign all_left = array_owed_d == '0 && y_owed_d == '0;",
        "assign all_left = array_owed_d == '0;",
        "a layer ends with the array, while results still wait",
    ),
    _fault(
        "amplitude-limit",
        "top_check",
        "40'(amp_i) < limit",
        "40'(amp_i) <= limit",
        "the first amplitude that is too large is taken",
    ),
    _fault(
        "busy-write",
        "top_regs",
        "assign sign_write_o = write_i && is_sign && !busy;",
        "assign sign_write_o = write_i && is_sign;",
        "signs change while a layer runs",
    ),
    _fault(
        "strobes",
        "top_axil",
        "assign write_o = execute && whole_q;",
        "assign write_o = execute;",
        "a write of one byte writes four",
    ),
    _fault(
        "read-answer",
        "top_axil",
        "if (fetch) begin",
        "if (has_read_q) begin",
        "the answer to a read changes while it waits",
    ),
    _fault(
        "soft-reset",
        "top_regs",
        "clear_q <= reset_pending_q && !offered_i;",
        "clear_q <= reset_pending_q;",
        "a soft reset takes back a result that is on offer",
    ),
    _fault(
        "no-stop",
        "top_control",
        "if (error_i != '0) state_d = StStopping;",
        "if (error_i != '0) state_d = StIdle;",
        "after an error in the data the rest of the streams is not dropped",
    ),
)
