"""Faults of the units with floating sums."""

from __future__ import annotations

from fpsim.verify.fault import Fault

FLOATS_FAULTS = (
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
)
