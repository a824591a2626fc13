"""What is proved of the units beside the array: floating sums, wide formats, zero points, outer factors."""

from __future__ import annotations

from fpsim.verify.proof import Proof, twin
from fpsim.verify.proof_tables import sign_table

_ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "stochastic")
_OVERFLOWS = ("ieee", "inf", "saturate")
_LIMIT = twin(
    "normalize",
    "take = !(|level[s][W-1:W-STEP]) && (|rest[s][LimitW-1:BIT]);",
    "take = !(|level[s][W-1:W-STEP]);",
    "the limit is ignored",
)
_CARRY = twin("mul_radix4", "sum[d-1] + row[d]", "sum[d-1] | row[d]", "digits are joined without carries")


def _normalize(name: str, width: int, steps: int, limit: int) -> Proof:
    return Proof(
        name,
        ("fpsim_normalize",),
        "the longest left shift within the limit that loses no bit",
        "normalize",
        {"W": width, "NormW": steps, "LimitW": limit},
        _LIMIT,
    )


def _float_add(rounding: str, overflow: str, specials: int, *, heavy: bool = True) -> Proof:
    mode = _ROUNDINGS.index(rounding)
    return Proof(
        f"float-add-{rounding}-{overflow}",
        ("fpsim_float_add",),
        "the exact sum rounded to one of its two neighbours, signed zeros and overflow too, of every E3M2 "
        "number and every term of 3 bits at fields from -16 to 15",
        "float_add",
        {
            "Rounding": mode,
            "Overflow": _OVERFLOWS.index(overflow),
            "Specials": specials,
            "RandomW": 2 if rounding == "stochastic" else 0,
        },
        twin("float_add", "acc_exp[0] | !acc_normal", "acc_exp[0]", "a subnormal acc has field 0"),
        heavy=heavy,
    )


def _round_float(name: str, width: int) -> Proof:
    return Proof(
        name,
        ("fpsim_round_float",),
        "FP16, BF16 and FP32: the nearest number, ties to even, subnormals and saturation too",
        "round_float",
        {"W": width, "ExpW": 12},
        twin("round_float", "half && (sticky || significand[0])", "half", "ties go up"),
    )


def _rows_of(name: str, a: int, b: int, out: int) -> Proof:
    digits = (b + 1) // 2
    probes = {
        f"{kind}s[{d * out + out - 1}:{d * out}]": f"dut.{kind}[{d}]"
        for kind in ("row", "sum")
        for d in range(digits)
    }
    return Proof(
        name,
        ("fpsim_mul_radix4",),
        "the sum of the rows of a written multiplication, for every pair",
        "mul_radix4_rows",
        {"AW": a, "BW": b, "OutW": out},
        _CARRY,
        probes=probes,
        solver="bitwuzla",
    )


def _divider(name: str, bits: int, places: int, *, heavy: bool = False) -> Proof:
    return Proof(
        name,
        ("fpsim_wide_quantizer_divider",),
        "top * |h| * 2^RandomBits = quotient * A + rest, 0 <= rest < A, after any steps and pauses",
        "wide_quantizer_divider",
        {"W": bits, "RandomBits": places},
        twin(
            "wide_quantizer_divider",
            "fits = brought >= {1'b0, amp_q_i}",
            "fits = brought > {1'b0, amp_q_i}",
            "a remainder of A stays",
        ),
        steps=5,
        probes={name: f"dut.{name}" for name in ("remainder_q", "bits_q")},
        heavy=heavy,
    )


def _zero_point(name: str, bits: int, *, heavy: bool = False) -> Proof:
    registers = ("busy_q", "left_q", "remainder_q", "span_q", "bits_q", "format_q")
    return Proof(
        name,
        ("fpsim_zero_point",),
        "n * (-low) / D to nearest, ties to even, of every row, each once and in order",
        "zero_point",
        {"W": bits},
        twin(
            "zero_point",
            "fits = brought >= {1'b0, span_q}",
            "fits = brought > {1'b0, span_q}",
            "a remainder of D stays",
        ),
        steps=5,
        probes={register: f"dut.{register}" for register in registers},
        heavy=heavy,
    )


ROW_PROOFS = (
    Proof(
        "range",
        ("fpsim_range",),
        "0 or one of the integers, and none lies beyond",
        "range",
        {"Lanes": 3, "W": 13},
        twin("range", "{W{|signs}} &", "{W{&signs}} &", "one negative integer is not enough"),
    ),
    Proof(
        "row-sum",
        ("fpsim_row_sum",),
        "the sum of the codes since the first beat",
        "row_sum",
        {"Lanes": 2, "DepthW": 5},
        twin("row_sum", "{SUM_W{~first_i}}", "{SUM_W{1'b1}}", "the row before is added, too"),
        steps=4,
    ),
    Proof(
        "lfsr",
        ("fpsim_lfsr",),
        "the next 32 bits of b_n = b_(n-31) ^ b_(n-28) at every step, from reset or seed; never all zeros",
        "lfsr",
        {"Bits": 32},
        twin("lfsr", "TAP = 28", "TAP = 27", "another polynomial"),
        steps=2,
        probes={"state_q": "dut.state_q"},
    ),
    Proof(
        "group-registers",
        ("fpsim_group_registers",),
        "what was last written to the group, or the reset's entry; the row's own where not static",
        "group_registers",
        {"Groups": 4, "W": 3},
        twin("group_registers", "static_i ?", "write_i ?", "a write turns the scale static"),
        steps=2,
        probes={f"entries[{17 * g + 16}:{17 * g}]": f"dut.gen_group[{g}].data_q" for g in range(4)},
    ),
    _normalize("normalize-12", 12, 4, 4),
    _normalize("normalize-float-add", 28, 5, 10),
    _normalize("normalize-wide-epilogue", 50, 6, 6),
    Proof(
        "add-tree",
        ("fpsim_add_tree",),
        "the sum of the numbers",
        "add_tree",
        {"Lanes": 4, "W": 9},
        twin("add_tree", "LEVEL_W'(even) + LEVEL_W'(odd)", "LEVEL_W'(even) - LEVEL_W'(odd)", "a difference"),
    ),
    Proof(
        "dot-e2m1",
        ("fpsim_dot_e2m1",),
        "the sum of eight products of any E2M1 codes, its registers left out",
        "dot_e2m1",
        {"Lanes": 8},
        twin(
            "dot_e2m1", "(b_codes_i[i*CODE_W +: CODE_W])", "(a_codes_i[i*CODE_W +: CODE_W])", "squares of a"
        ),
        probes={"products": "dut.products"},
        transparent=True,
        solver="bitwuzla",
    ),
    _float_add("rne", "ieee", 2, heavy=False),
    _float_add("rna", "inf", 2),
    _float_add("rtz", "ieee", 2),
    _float_add("rup", "ieee", 2),
    _float_add("rdn", "ieee", 2),
    _float_add("stochastic", "saturate", 0),
    _float_add("rne", "saturate", 1),
    _round_float("round-float-27", 27),
    _round_float("round-float-50", 50),
    _rows_of("mul-radix4-rows-26x11", 26, 11, 37),
    _rows_of("mul-radix4-rows-37x11", 37, 11, 47),
    _divider("wide-quantizer-divider-9", 9, 3),
    _divider("wide-quantizer-divider-14", 14, 5, heavy=True),
    Proof(
        "wide-quantizer-round",
        ("fpsim_wide_quantizer_round",),
        "the law's index of every x, nearest and stochastic, its code with any zero point, all formats",
        "wide_quantizer_round",
        {"RandomBits": 4},
        twin(
            "wide_quantizer_round",
            "place[RandomBits-1] && (sticky || tie_up)",
            "place[RandomBits-1]",
            "every tie goes up",
        ),
    ),
    _zero_point("zero-point-8", 8),
    _zero_point("zero-point-21", 21, heavy=True),
    Proof(
        "zero-correction",
        ("fpsim_zero_correction",),
        "acc - z_w * (row_sum - K * z_a) - z_a * col_sum for z_w from -32 to 31, its registers left out",
        "zero_correction",
        {"AccW": 9, "DepthW": 3},
        twin(
            "zero_correction",
            "T_W'(row_sum) - T_W'(depth)",
            "T_W'(row_sum) + T_W'(depth)",
            "the sign of K z_a",
        ),
        probes={"t_d": "dut.t_d"} | {name: f"dut.gen_lane[0].{name}" for name in ("rest_d", "product_d")},
        transparent=True,
        solver="bitwuzla",
        heavy=True,
    ),
    Proof(
        "beat-memory",
        ("fpsim_beat_memory",),
        "what was last written to an address is read, and stays",
        "beat_memory",
        {"W": 2, "Beats": 5},
        twin("beat_memory", "if (read_en_i) read_q", "read_q", "the read data do not stay"),
        steps=4,
        probes={f"beats_q[{2 * i + 1}:{2 * i}]": f"dut.beats_q[{i}]" for i in range(5)},
    ),
    Proof(
        "hadamard-walk",
        ("fpsim_hadamard_walk",),
        "every place and sign of every block's terms, in order, of all shapes up to 144 beats",
        "hadamard_walk",
        {"MaxBeats": 144},
        twin("hadamard_walk", "at_d    = s_d;", "at_d    = '0;", "every result begins at place 0"),
        steps=9,
        probes={
            register: f"dut.{register}"
            for register in (
                *("at_q", "s_q", "stride_q", "i_q", "j_q"),
                *("end_point_q", "row_q", "entry_q", "base_q"),
            )
        },
        generated=sign_table,
        heavy=True,
    ),
    Proof(
        "hadamard-outer",
        ("fpsim_hadamard_outer",),
        "the results of blocks of up to 4 beats, each once and in order, for 13 cycles from reset",
        "hadamard_outer",
        {"InW": 2, "MaxBeats": 4},
        twin("hadamard_outer", "OUT_W{~first_q}", "OUT_W{1'b1}", "the result before is added, too"),
        bound=13,
        heavy=True,
    ),
    Proof(
        "hadamard-offer",
        ("fpsim_hadamard_outer",),
        "a result on offer stays until it is taken",
        "hadamard_offer",
        {"Lanes": 2, "InW": 4, "MaxBeats": 8},
        twin(
            "hadamard_outer",
            "finish || (out_valid_q && !out_ready_i)",
            "finish",
            "it is offered for one cycle",
        ),
        steps=8,
        heavy=True,
    ),
)
