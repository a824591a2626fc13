"""Faults on purpose: a bench that lets one of these pass is worth nothing.

Each fault changes one place of a copy of the RTL; the files of the repository are never touched.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import simulate
from fpsim.verify.units import unit

# Small: what a fault changes does not depend on the size.
FAULT_CONFIG = ArrayConfig(rows=4, cols=4, unit=UnitConfig(hadamard_n=8))
SATURATING = ArrayConfig(rows=4, cols=4, unit=UnitConfig(acc_bits=12, overflow="saturate"))


@dataclass(frozen=True)
class Fault:
    """One change of the RTL.

    Attributes:
        name: short name.
        unit: the unit whose bench must notice.
        file: the file that is changed.
        find: text that occurs exactly once in the file; spaces stand for any white space.
        replace: what takes its place.
        meaning: what goes wrong, in words.
        config: what the unit is built with.
    """

    name: str
    unit: str
    file: str
    find: str
    replace: str
    meaning: str
    config: ArrayConfig = FAULT_CONFIG


FAULTS = (
    Fault(
        "decode-entry",
        "decode",
        "fpsim_decode.sv",
        "e2m1_exp == 2'd2}",
        "e2m1_exp == 2'd1}",
        "one entry of the E2M1 table has the wrong shift",
    ),
    Fault(
        "decode-undriven",
        "decode",
        "fpsim_decode.sv",
        "assign sign = code_i[3];",
        "",
        "the sign is not driven",
    ),
    Fault(
        "decode-low-nibble",
        "decode",
        "fpsim_decode.sv",
        "sign && !low_i",
        "sign",
        "a low nibble of 8 and more is negative",
    ),
    Fault(
        "mul-fourth-bit",
        "mul",
        "fpsim_mul.sv",
        "{1'b0, a_sig & {4{b_sig[3]}}, 1'b0}",
        "{1'b0, a_sig & {4{b_sig[3] & ~b_sig[0]}}, 1'b0}",
        "an odd low nibble above 8 loses its top bit",
    ),
    Fault(
        "mul-sign",
        "mul",
        "fpsim_mul.sv",
        "(a_neg_i ^ b_neg_i)",
        "(a_neg_i & ~b_neg_i)",
        "a negative b does not negate the product",
    ),
    Fault(
        "mac-wrap",
        "mac",
        "fpsim_mac.sv",
        "acc_q <= acc_d;",
        "acc_q <= {acc_d[AccW-2], acc_d[AccW-2:0]};",
        "the accumulator misses its top bit: wrong only where it wraps",
    ),
    Fault(
        "mac-shift",
        "mac",
        "fpsim_mac.sv",
        "{acc_q[AccW-5:0], 4'b0}",
        "{acc_q[AccW-4:0], 3'b0}",
        "a lighter pass takes the register 8 times",
    ),
    Fault(
        "mac-saturate-low",
        "mac",
        "fpsim_mac.sv",
        "&sum[SUM_W-1:AccW-1] ||",
        "sum[SUM_W-1] ||",
        "sums below the register's range wrap",
        SATURATING,
    ),
    Fault(
        "mac-saturate-sign",
        "mac",
        "fpsim_mac.sv",
        "{sum[SUM_W-1], {(AccW-1){~sum[SUM_W-1]}}}",
        "{sum[AccW-1], {(AccW-1){~sum[AccW-1]}}}",
        "the wrong end of the range, by the sign of the wrapped sum",
        SATURATING,
    ),
    Fault(
        "mac-array-low-skew",
        "mac_array",
        "fpsim_mac_array.sv",
        "assign lane_in = beat ? {b_low, b_codes_i",
        "assign lane_in = beat ? {b_low && !in_shift_i, b_codes_i",
        "the first beat of a lighter pass takes the weights' low nibbles as signed",
    ),
    Fault(
        "mac-array-shift-without-beat",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "beat_o && in_shift_i",
        "in_shift_i",
        "sums are shifted in cycles without a beat: wrong only with gaps",
    ),
    Fault(
        "mac-array-lost-row",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "if (count_q == LAST_ROW) state_d = StEmpty;",
        "if (count_q == LAST_ROW - 1'b1) state_d = StEmpty;",
        "the last row is lost",
    ),
    Fault(
        "mac-array-overwrite",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "assign in_ready_o = !owed_q || state_q == StEmpty;",
        "assign in_ready_o = 1'b1;",
        "a tile enters on top of a finished one that waits for the output: wrong only under back-pressure",
    ),
    Fault(
        "mac-array-take-in-drain",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "assign take = owed_q && state_q == StEmpty;",
        "assign take = owed_q && state_q != StSkew;",
        "the next tile replaces rows that have not left: wrong only under back-pressure or in short tiles",
    ),
    Fault(
        "mac-array-reset",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "owed_q <= 1'b0;",
        "owed_q <= owed_q;",
        "a reset leaves a tile owed",
    ),
    Fault(
        "mac-array-early-row",
        "mac_array",
        "fpsim_mac_array_control.sv",
        "LAST_WAIT = COUNT_W'(Cols - 1)",
        "LAST_WAIT = COUNT_W'(Cols - 2)",
        "rows are offered before their last column has arrived",
    ),
    Fault(
        "pe-take-keeps",
        "mac_array",
        "fpsim_pe.sv",
        "(op == fpsim_pkg::OP_CLEAR || op == fpsim_pkg::OP_TAKE)",
        "(op == fpsim_pkg::OP_CLEAR)",
        "a sum that was taken over is not cleared: wrong only for tiles back to back",
    ),
    Fault(
        "pe-clear-takes",
        "mac_array",
        "fpsim_pe.sv",
        "if (op == fpsim_pkg::OP_TAKE) out_q",
        "if (op == fpsim_pkg::OP_TAKE || op == fpsim_pkg::OP_CLEAR) out_q",
        "a tile that begins while the one before drains replaces its rows",
    ),
    Fault(
        "mac-array-skew",
        "mac_array",
        "fpsim_mac_array.sv",
        "#(.W(1 + CODE_W), .Depth(c))",
        "#(.W(1 + CODE_W), .Depth(c == 2 ? 1 : c))",
        "column 2 meets its activations one beat late",
    ),
    Fault(
        "align-tie",
        "align",
        "fpsim_align_lane.sv",
        "half && (sticky || magnitude[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "hadamard-negation",
        "hadamard",
        "fpsim_butterfly.sv",
        "(b ^ {OUT_W{en_i}})",
        "b",
        "the difference of a butterfly does not negate",
    ),
    Fault(
        "pipeline-overrun",
        "hadamard",
        "fpsim_pipeline_control.sv",
        "assign load_o = ready & offered;",
        "assign load_o = offered;",
        "a stalled stage takes the next beat: wrong only under back-pressure",
    ),
    Fault(
        "amax-negative",
        "amax",
        "fpsim_amax.sv",
        "+ W'(key[0])",
        "",
        "the magnitude of a negative integer is one too small",
    ),
    Fault(
        "row-scale-tie",
        "row_scale",
        "fpsim_row_scale.sv",
        "half && (sticky || kept[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "quantizer-level",
        "quantizer",
        "fpsim_pkg.sv",
        "LEVELS_E2M1 = {7'd12, 7'd8, 7'd6, 7'd4,",
        "LEVELS_E2M1 = {7'd12, 7'd8, 7'd6, 7'd5,",
        "one level of E2M1 is wrong",
    ),
    Fault(
        "quantizer-tie",
        "quantizer",
        "fpsim_pkg.sv",
        "TIE_UP_E2M1 = 7'b0101010",
        "TIE_UP_E2M1 = 7'b0101011",
        "the tie between 0 and the first level of E2M1 goes up",
    ),
    Fault(
        "epilogue-tie",
        "epilogue",
        "fpsim_fixed_to_fp16.sv",
        "half && (sticky || significand[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "float-add-tie",
        "mac_float",
        "fpsim_float_add.sv",
        "half && (sticky || significand[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "float-add-far",
        "mac_float",
        "fpsim_float_add.sv",
        "apart[DIST_W-1:0] | {DIST_W{|apart[FieldW-1:DIST_W]}}",
        "apart[DIST_W-1:0]",
        "a far operand comes back near",
    ),
    Fault(
        "float-add-subnormal",
        "mac_float",
        "fpsim_float_add.sv",
        "acc_exp[0] | !acc_normal",
        "acc_exp[0]",
        "a subnormal sum counts half",
    ),
    Fault(
        "float-add-window",
        "mac_float",
        "fpsim_float_add.sv",
        "KEPT_W = ManW + 3 + RANDOM_W;",
        "KEPT_W = ManW + 2 + RANDOM_W;",
        "after a cancelled bit the jam decides the rounding",
    ),
    Fault(
        "normalize-limit",
        "mac_float",
        "fpsim_normalize.sv",
        "&& (|rest[s][LimitW-1:BIT])",
        "",
        "a subnormal result is normalized below the smallest exponent",
    ),
    Fault(
        "mac-float-sign",
        "mac_float",
        "fpsim_mac_float.sv",
        "a_neg_i ^ b_neg_i",
        "a_neg_i",
        "a negative b does not negate the product",
    ),
    Fault(
        "dot-minus-zero",
        "dot_mx",
        "fpsim_float_add.sv",
        "(subtract || acc_normal || (|acc_man))",
        "(acc_normal || (|acc_man))",
        "a sum of -0 stays -0 when a block of 0 follows",
    ),
    Fault(
        "dot-special-forgotten",
        "dot_mx",
        "fpsim_dot_accumulate.sv",
        "special_i || (special_q && !first_i)",
        "special_i",
        "a NaN scale is forgotten with the next block",
    ),
    Fault(
        "dot-special-added",
        "dot_mx",
        "fpsim_dot_mx.sv",
        "& {TERM_W{!is_special}}",
        "",
        "a block under a NaN scale counts as one under 2^128",
    ),
    Fault(
        "dot-subnormal-scale",
        "dot_nvfp4",
        "fpsim_dot_nvfp4.sv",
        "b_scale_i[S_MAN_W] | !b_normal",
        "b_scale_i[S_MAN_W]",
        "a subnormal scale of b counts half",
    ),
    Fault(
        "dot-term-width",
        "dot_nvfp4",
        "fpsim_dot_nvfp4.sv",
        "& {MAG_W{!is_special}}",
        "& {1'b0, {(MAG_W-1){!is_special}}}",
        "the sum of products misses its top bit",
    ),
    Fault(
        "wide-quantizer-tie",
        "wide_quantizer",
        "fpsim_wide_quantizer_round.sv",
        "place[RandomBits-1] && (sticky || tie_up)",
        "place[RandomBits-1]",
        "ties round up, not by the format's rule",
    ),
    Fault(
        "wide-quantizer-rest",
        "wide_quantizer",
        "fpsim_wide_quantizer_divider.sv",
        "assign rest_o = |remainder_q;",
        "assign rest_o = 1'b0;",
        "what lies just above a tie counts as the tie",
    ),
    Fault(
        "wide-quantizer-random",
        "wide_quantizer",
        "fpsim_wide_quantizer_divider.sv",
        "random_q <= random_i;",
        "random_q <= random_i ^ RandomBits'(1);",
        "the lowest random bit is inverted",
    ),
    Fault(
        "wide-quantizer-zero",
        "wide_quantizer",
        "fpsim_wide_quantizer_round.sv",
        "{{2{zero_i[7]}}, zero_i}",
        "{2'b00, zero_i}",
        "a negative zero point is taken as a positive one",
    ),
    Fault(
        "lfsr-tap",
        "lfsr",
        "fpsim_lfsr.sv",
        "TAP = 28;",
        "TAP = 27;",
        "the polynomial is another, not a primitive one",
    ),
    Fault(
        "range-zero",
        "range",
        "fpsim_range.sv",
        "{W{|signs}} & {1'b1, ~down}",
        "{1'b1, ~down}",
        "a row without a negative integer has -1 as its smallest",
    ),
    Fault(
        "zero-point-tie",
        "zero_point",
        "fpsim_zero_point.sv",
        "((|remainder_q) || bits_q[1])",
        "(|remainder_q)",
        "ties round down, not to even",
    ),
    Fault(
        "row-sum-sign",
        "row_sum",
        "fpsim_row_sum.sv",
        "{{DepthW{code[7]}}, code}",
        "{{DepthW{1'b0}}, code}",
        "negative codes are added as positive ones",
    ),
    Fault(
        "group-registers-decode",
        "group_registers",
        "fpsim_group_registers.sv",
        "write_group_i == GROUP_W'(g)",
        "write_group_i[GROUP_W-1:1] == (GROUP_W-1)'(g >> 1)",
        "a write also reaches the group beside",
    ),
    Fault(
        "zero-correction-sign",
        "zero_correction",
        "fpsim_zero_correction.sv",
        "rest_q2 - product_q2;",
        "rest_q2 + product_q2;",
        "the zero points of the weights are put in once more",
    ),
    Fault(
        "wide-epilogue-tie",
        "wide_epilogue",
        "fpsim_round_float.sv",
        "half && (sticky || significand[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "wide-epilogue-jam",
        "wide_epilogue",
        "fpsim_round_float.sv",
        "|x_i[W-KEPT_W:0]};",
        "1'b0};",
        "what lies far below a tie is lost",
    ),
    Fault(
        "wide-epilogue-subnormal",
        "wide_epilogue",
        "fpsim_round_float.sv",
        "tiny ? cut - steps : cut",
        "cut",
        "results below the smallest normal number keep bits that they do not have",
    ),
    Fault(
        "wide-epilogue-borrow",
        "wide_epilogue",
        "fpsim_wide_epilogue_lane.sv",
        "(swap ? bias_sign_q3 : sign_q3) ^ borrow;",
        "(swap ? bias_sign_q3 : sign_q3);",
        "a bias just larger than a product of its exponent does not turn the sign",
    ),
    Fault(
        "hadamard-outer-sign",
        "hadamard_outer",
        "fpsim_row_pkg.sv",
        "H12_MINUS = 144'h2",
        "H12_MINUS = 144'h3",
        "one entry of H12 has the wrong sign",
    ),
    Fault(
        "hadamard-outer-stride",
        "hadamard_outer",
        "fpsim_hadamard_walk.sv",
        "at_d = s_d;",
        "at_d = '0;",
        "every result of a stride is that of its first place",
    ),
)


class FaultMissed(RuntimeError):
    """The bench passed although the RTL was wrong."""


@contextmanager
def injected(fault: Fault, rtl: Path | None = None) -> Iterator[Path]:
    """A folder with a copy of the RTL that has the fault; removed afterwards.

    Raises:
        ValueError: the fault's text does not occur exactly once.
    """
    source = default_rtl_folder() if rtl is None else rtl
    with tempfile.TemporaryDirectory(prefix=f"fpsim-{fault.name}-") as name:
        folder = Path(name)
        for file in source.glob("*.sv"):
            shutil.copy(file, folder)
        target = folder / fault.file
        pattern = r"\s+".join(map(re.escape, fault.find.split()))
        text, matches = re.subn(pattern, lambda _: fault.replace, target.read_text(encoding="utf-8"))
        if matches != 1:
            raise ValueError(
                f"fault {fault.name!r}: {fault.find!r} occurs {matches} times in {fault.file}, not once"
            )
        target.write_text(text, encoding="utf-8")
        yield folder


def catch(fault: Fault, *, seed: int = 0, rtl: Path | None = None, cache: Path | None = None) -> str:
    """Run the bench of the fault's unit on the faulty copy and return the message of its failure.

    Raises:
        FaultMissed: the bench passed.
        ValueError: see `injected`.
    """
    kinds = tuple(kind for kind in unit(fault.unit, fault.config).kinds if kind != "golden")
    with injected(fault, rtl) as folder:
        job = Job(fault.unit, fault.config, kinds=kinds, seed=seed, quick=True, rtl=str(folder))
        try:
            run = simulate(job, cache)
        except RtlMismatch as mismatch:
            return str(mismatch)
    raise FaultMissed(
        f"{fault.name}: {fault.meaning}; {sum(run.vectors.values())} results compared, all equal"
    )
