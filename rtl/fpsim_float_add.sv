// One addition onto a floating-point sum, exact, then one rounding.
//
//   y = round(acc + (-1)^term_neg * term_sig * 2^(term_field - bias - (TermW-1))),   bias = 2^(ExpW-1) - 1
//
//   acc, y: {sign, exponent field, stored significand}, subnormals kept       term_sig: top bit 1, or all 0
//   term_field: exponent field that the term's top bit would have, beyond both ends of acc's fields too
//
// The operand with the larger field keeps its place at the top of a window, the other one is shifted right with jam.
// The window has room for both operands unshifted or one apart, when leading bits may cancel, with a 0 or an exact bit
// in the jammed place; two and more apart one leading bit cancels at most, and the places that decide the rounding (one,
// or RandomW) end above the jam. A subnormal acc has field 1, below which nothing is normalized.
//
// Latency: combinational. Throughput: one addition. Python twin: fpsim/arith/mac_float.py.
// Overflow: "ieee" infinity, or the largest finite number where the rounding points toward zero; "inf" infinity;
// "saturate" the largest finite number. An infinite acc stays. NaN never comes.
// Zeros: two of one sign keep it, every other exact sum of 0 is +0, under "rdn" -0; what rounds to 0 keeps its sign.

`default_nettype none

module fpsim_float_add #(
  parameter int ExpW     = fpsim_pkg::FP32_EXP_W,      // exponent bits of acc, 2 to 8
  parameter int ManW     = fpsim_pkg::FP32_MAN_W,      // stored significand bits of acc, 1 to 23
  parameter int Specials = fpsim_pkg::SPECIALS_IEEE,   // which codes are not finite
  parameter int Rounding = fpsim_pkg::ROUND_RNE,
  parameter int Overflow = fpsim_pkg::OVERFLOW_IEEE,   // infinities only with SPECIALS_IEEE
  parameter int RandomW  = 0,                          // random bits of ROUND_STOCHASTIC, 1 to 32, else 0
  parameter int TermW    = 7,                          // bits of the term's significand
  parameter int FieldW   = 10                          // bits of the term's field, signed, ExpW + 2 or more
) (
  input  logic [ExpW+ManW:0]                       acc_i,
  input  logic                                     term_neg_i,
  input  logic [TermW-1:0]                         term_sig_i,
  input  logic signed [FieldW-1:0]                 term_field_i,
  input  logic [((RandomW > 0) ? RandomW : 1)-1:0] random_i,
  output logic [ExpW+ManW:0]                       y_o
);

  localparam int RANDOM_W = (RandomW > 0) ? RandomW : 1;
  localparam int KEPT_W   = ManW + 3 + RANDOM_W;  // a cancelled bit, hidden bit, stored bits, deciding bits, jam
  localparam int WIN_W    = (KEPT_W > TermW + 1) ? KEPT_W : TermW + 1;
  localparam int DIST_W   = $clog2(WIN_W + 1);    // a shift by WIN_W leaves the jam alone
  localparam int SUM_W    = WIN_W + 1;            // magnitude of the sum
  localparam int LOW_W    = SUM_W - ManW - 1;     // places below the significand
  localparam int NORM_W   = $clog2(SUM_W);
  localparam int PACKED_W = FieldW + ManW;

  // ---------------------------------
  // Order by field, align
  // ---------------------------------
  logic              acc_sign, acc_normal;
  logic [ExpW-1:0]   acc_exp;
  logic [ManW-1:0]   acc_man;
  logic [FieldW-1:0] acc_field;

  assign {acc_sign, acc_exp, acc_man} = acc_i;
  assign acc_normal = |acc_exp;
  assign acc_field  = FieldW'({acc_exp[ExpW-1:1], acc_exp[0] | !acc_normal});

  logic signed [FieldW:0] ahead;  // of the term's field before acc's
  logic                   term_major;
  logic [FieldW-1:0]      apart;
  logic [DIST_W-1:0]      distance;
  logic [FieldW-1:0]      field;  // the larger one, 1 or more
  logic [WIN_W-1:0]       acc_window, term_window, major, minor, aligned;
  logic                   unused_overflow;

  assign ahead      = (FieldW+1)'(term_field_i) - $signed({1'b0, acc_field});
  assign term_major = !ahead[FieldW] && term_sig_i[TermW-1];
  assign apart      = ahead[FieldW] ? FieldW'(-ahead) : FieldW'(ahead);
  assign distance   = apart[DIST_W-1:0] | {DIST_W{|apart[FieldW-1:DIST_W]}};
  assign field      = term_major ? FieldW'(term_field_i) : acc_field;

  assign acc_window  = {acc_normal, acc_man, {(WIN_W-ManW-1){1'b0}}};
  assign term_window = {term_sig_i, {(WIN_W-TermW){1'b0}}};
  assign major       = term_major ? term_window : acc_window;
  assign minor       = term_major ? acc_window : term_window;

  fpsim_shift_jam #(
    .InW      (WIN_W),
    .OutW     (WIN_W),
    .DistanceW(DIST_W)
  ) u_align (
    .x_i       (minor),
    .distance_i(distance),
    .y_o       (aligned),
    .overflow_o(unused_overflow)
  );

  // ---------------------------------
  // Add, magnitude
  // ---------------------------------
  logic             subtract, negative, sum_sign, zero;
  logic [SUM_W:0]   sum;
  logic [SUM_W-1:0] magnitude;

  assign subtract  = acc_sign ^ term_neg_i;
  assign sum       = {2'b0, major} + ({2'b0, aligned} ^ {(SUM_W+1){subtract}}) + (SUM_W+1)'(subtract);
  assign negative  = sum[SUM_W];
  assign magnitude = (sum[SUM_W-1:0] ^ {SUM_W{negative}}) + SUM_W'(negative);
  assign sum_sign  = (term_major ? term_neg_i : acc_sign) ^ negative;
  assign zero      = !(|magnitude);

  // ---------------------------------
  // Normalize: the top place is worth field + 1 and may come down to field 1
  // ---------------------------------
  logic [SUM_W-1:0]  normal;
  logic [NORM_W-1:0] down;

  fpsim_normalize #(
    .W     (SUM_W),
    .NormW (NORM_W),
    .LimitW(FieldW)
  ) u_normalize (
    .x_i    (magnitude),
    .limit_i(field),
    .y_o    (normal),
    .n_o    (down)
  );

  // ---------------------------------
  // Round
  // ---------------------------------
  logic [ManW:0]     significand;
  logic [LOW_W-1:0]  low;
  logic              half, sticky, up;
  logic [RANDOM_W:0] drawn;
  logic              unused_drawn;

  assign {significand, low} = normal;
  assign half         = low[LOW_W-1];
  assign sticky       = |low[LOW_W-2:0];
  assign drawn        = {1'b0, low[LOW_W-1 -: RANDOM_W]} + {1'b0, random_i};
  assign unused_drawn = ^drawn;

  always_comb begin
    case (Rounding)
      fpsim_pkg::ROUND_RNE: up = half && (sticky || significand[0]);
      fpsim_pkg::ROUND_RNA: up = half;
      fpsim_pkg::ROUND_RUP: up = !sum_sign && (half || sticky);
      fpsim_pkg::ROUND_RDN: up = sum_sign && (half || sticky);
      fpsim_pkg::ROUND_STOCHASTIC: up = drawn[RANDOM_W];
      default: up = 1'b0;
    endcase
  end

  // ---------------------------------
  // Pack: a hidden bit in the significand adds the 1 that makes the field field + 1 - down
  // ---------------------------------
  localparam int ALL_ONES  = (1 << (ExpW + ManW)) - 1;
  localparam int INFINITY  = ((1 << ExpW) - 1) << ManW;
  localparam int LARGEST   = (Specials == fpsim_pkg::SPECIALS_IEEE) ? INFINITY - 1
                           : (Specials == fpsim_pkg::SPECIALS_NAN) ? ALL_ONES - 1 : ALL_ONES;
  localparam logic HAS_INF = Overflow != fpsim_pkg::OVERFLOW_SATURATE;

  logic [PACKED_W-1:0]  rounded;
  logic                 beyond, inward, infinite, zero_sign;
  logic [ExpW+ManW-1:0] largest, finite;

  assign rounded = {field - FieldW'(down), {ManW{1'b0}}} + PACKED_W'(significand) + PACKED_W'(up);
  assign beyond  = rounded > PACKED_W'(LARGEST);
  assign inward  = Overflow == fpsim_pkg::OVERFLOW_IEEE
                && (Rounding == fpsim_pkg::ROUND_RTZ || (Rounding == fpsim_pkg::ROUND_RUP && sum_sign)
                    || (Rounding == fpsim_pkg::ROUND_RDN && !sum_sign));
  assign largest = (ExpW+ManW)'((HAS_INF && !inward) ? INFINITY : LARGEST);
  assign finite  = beyond ? largest : rounded[ExpW+ManW-1:0];

  assign infinite  = HAS_INF && (&acc_exp);
  assign zero_sign = (subtract || acc_normal || (|acc_man)) ? Rounding == fpsim_pkg::ROUND_RDN : acc_sign;

  assign y_o = infinite ? acc_i : zero ? {zero_sign, {(ExpW+ManW){1'b0}}} : {sum_sign, finite};

endmodule

`default_nettype wire
