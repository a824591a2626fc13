// Processing element of a floating-point array, to compare with: operand registers, an exact product, an FP32 sum, an
// output register. Not part of the accelerator; layers in FP16 and FP32 are priced by it.
//
//   acc <- FP32((first ? +0 : acc) + a * b), one rounding to nearest even, subnormals kept, at every clock
//
//   a {first, sign, exponent[ExpW-1:0], fraction[ManW-1:0]}, travels east     b {sign, exponent, fraction}, south
//
// out_o: the sum that `first` ended, taken over while the next one starts. Operands are finite, IEEE 754; a zero operand
// with first = 0 holds the sum.
// Latency: 1 from a_i, b_i to a_o, b_o; 2 to the sum. Throughput: one product per cycle.
// Overflow: IEEE 754. Parameters: ExpW, ManW. Python twin: fpsim/array/half.py (FP16).

`default_nettype none

module fpsim_pe_float #(
  parameter int ExpW = 5,  // exponent bits of the operands, 2 to 8
  parameter int ManW = 10  // their stored significand bits, 1 to 23
) (
  input  logic                         clk_i,
  input  logic [ExpW+ManW+1:0]         a_i,
  input  logic [ExpW+ManW:0]           b_i,
  output logic [ExpW+ManW+1:0]         a_o,
  output logic [ExpW+ManW:0]           b_o,
  output logic [fpsim_pkg::FP32_W-1:0] out_o
);

  localparam int SIG_W   = ManW + 1;
  localparam int TERM_W  = 2 * SIG_W;
  localparam int NORM_W  = $clog2(TERM_W);
  localparam int FIELD_W = 10;
  // A number is sig * 2^(exponent - bias - ManW): field of the top bit of the product of two with exponents of 0.
  localparam int BIAS    = (1 << (ExpW - 1)) - 1;
  localparam int FIELD_0 = fpsim_pkg::FP32_BIAS + TERM_W - 1 - 2 * (BIAS + ManW);

  logic [ExpW+ManW+1:0] a_q;
  logic [ExpW+ManW:0]   b_q;

  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
  end

  assign a_o = a_q;
  assign b_o = b_q;

  // ---------------------------------
  // Product: sign, normalized significand, exponent field of its top bit
  // ---------------------------------
  logic              a_neg, b_neg, a_normal, b_normal, first;
  logic [ExpW-1:0]   a_exp, b_exp;
  logic [ManW-1:0]   a_man, b_man;
  logic [TERM_W-1:0] product, term_sig;
  logic [NORM_W-1:0] down;

  assign {first, a_neg, a_exp, a_man} = a_q;
  assign {b_neg, b_exp, b_man}        = b_q;
  assign a_normal = |a_exp;
  assign b_normal = |b_exp;
  assign product  = TERM_W'({a_normal, a_man}) * TERM_W'({b_normal, b_man});

  fpsim_normalize #(
    .W     (TERM_W),
    .NormW (NORM_W),
    .LimitW(NORM_W)
  ) u_normalize (
    .x_i    (product),
    .limit_i({NORM_W{1'b1}}),
    .y_o    (term_sig),
    .n_o    (down)
  );

  logic signed [FIELD_W-1:0] term_field;

  assign term_field = FIELD_W'(FIELD_0) + FIELD_W'({a_exp[ExpW-1:1], a_exp[0] | !a_normal})
                    + FIELD_W'({b_exp[ExpW-1:1], b_exp[0] | !b_normal}) - FIELD_W'(down);

  // ---------------------------------
  // Sum
  // ---------------------------------
  logic [fpsim_pkg::FP32_W-1:0] acc_d, acc_q, out_q;

  fpsim_float_add #(
    .TermW (TERM_W),
    .FieldW(FIELD_W)
  ) u_add (
    .acc_i       (acc_q & {fpsim_pkg::FP32_W{!first}}),
    .term_neg_i  (a_neg ^ b_neg),
    .term_sig_i  (term_sig),
    .term_field_i(term_field),
    .random_i    (1'b0),
    .y_o         (acc_d)
  );

  always_ff @(posedge clk_i) begin
    acc_q <= acc_d;
    if (first) out_q <= acc_q;
  end

  assign out_o = out_q;

endmodule

`default_nettype wire
