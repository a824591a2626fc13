// Multiply-accumulate with a floating-point sum: fpsim_mac with one rounding per product.
//
//   acc <- round((first ? +0 : acc) + a * b * 2^unit_exp), at every clock with en_i = 1
//
// The product is exact and enters unrounded: significands multiply, shifts and unit_exp add up to its exponent.
// unit_exp_i: exponent of one unit of the product, signed: the two formats' steps multiplied (E2M1 * E2M1: -2).
// random_i: the random bits of this beat's rounding, read with Rounding = ROUND_STOCHASTIC alone.
// acc: {sign, exponent field, stored significand}, bias 2^(ExpW-1) - 1, subnormals kept.
//
// Latency: 1 (acc_o is the register), as fpsim_mac: multiplier, alignment, addition and rounding lie in one cycle.
// Throughput: one product per cycle. Overflow and zeros: see fpsim_float_add; a zero product has the sign of its
// operands. Only decoded operands are legal. Reset: acc = +0. Python twin: fpsim/arith/mac_float.py.

`default_nettype none

module fpsim_mac_float #(
  parameter int ExpW     = fpsim_pkg::FP32_EXP_W,      // exponent bits of acc, 2 to 8
  parameter int ManW     = fpsim_pkg::FP32_MAN_W,      // stored significand bits of acc, 1 to 23
  parameter int Specials = fpsim_pkg::SPECIALS_IEEE,   // which codes of acc are not finite
  parameter int Rounding = fpsim_pkg::ROUND_RNE,
  parameter int Overflow = fpsim_pkg::OVERFLOW_IEEE,   // infinities only with SPECIALS_IEEE
  parameter int RandomW  = 0,                          // random bits of ROUND_STOCHASTIC, 1 to 32, else 0
  parameter int Formats  = fpsim_pkg::FORMATS          // bit f: selector f is built in
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  input  logic                                     en_i,
  input  logic                                     first_i,
  input  logic                                     a_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]              a_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0]            a_shift_i,
  input  logic                                     b_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]              b_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0]            b_shift_i,
  input  logic signed [fpsim_pkg::UNIT_EXP_W-1:0]  unit_exp_i,
  input  logic [((RandomW > 0) ? RandomW : 1)-1:0] random_i,
  output logic [ExpW+ManW:0]                       acc_o
);

  localparam int SIG_W   = fpsim_pkg::SIG_W;
  localparam int SHIFT_W = fpsim_pkg::SHIFT_W;
  localparam int BIAS    = (1 << (ExpW - 1)) - 1;
  localparam int FIELD_W = 10;  // -128 + 1 to 127 + 12 + 7 + 127

  // Bits that the built-in formats' operands can have; the product of two significands: E2M1 alone 9, INT4 225.
  localparam logic [SIG_W-1:0]   SIG_MASK   = fpsim_pkg::sig_mask(Formats);
  localparam logic [SHIFT_W-1:0] SHIFT_MASK = fpsim_pkg::shift_mask(Formats);
  localparam int                 PRODUCT_W  = $clog2(32'(SIG_MASK) * 32'(SIG_MASK) + 1);
  localparam int                 TERM_W     = (PRODUCT_W > 2) ? PRODUCT_W : 2;
  localparam int                 NORM_W     = $clog2(TERM_W);

  // ---------------------------------
  // Product: sign, normalized significand, exponent field of its top bit
  // ---------------------------------
  logic [2*SIG_W-1:0]        product;
  logic [TERM_W-1:0]         magnitude, term_sig;
  logic [NORM_W-1:0]         no_limit, down;
  logic                      term_neg;
  logic signed [FIELD_W-1:0] term_field;
  logic                      unused_high;  // product bits that no built-in format reaches

  assign product     = (2*SIG_W)'(a_sig_i & SIG_MASK) * (2*SIG_W)'(b_sig_i & SIG_MASK);
  assign magnitude   = product[TERM_W-1:0];
  assign unused_high = ^product;
  assign no_limit    = '1;
  assign term_neg    = a_neg_i ^ b_neg_i;

  fpsim_normalize #(
    .W     (TERM_W),
    .NormW (NORM_W),
    .LimitW(NORM_W)
  ) u_normalize (
    .x_i    (magnitude),
    .limit_i(no_limit),
    .y_o    (term_sig),
    .n_o    (down)
  );

  assign term_field = FIELD_W'(unit_exp_i) + FIELD_W'(BIAS + TERM_W - 1)
                    + FIELD_W'(a_shift_i & SHIFT_MASK) + FIELD_W'(b_shift_i & SHIFT_MASK) - FIELD_W'(down);

  // ---------------------------------
  // Sum
  // ---------------------------------
  logic [ExpW+ManW:0] acc_before, acc_d, acc_q;

  assign acc_before = acc_q & {(ExpW+ManW+1){!first_i}};

  fpsim_float_add #(
    .ExpW    (ExpW),
    .ManW    (ManW),
    .Specials(Specials),
    .Rounding(Rounding),
    .Overflow(Overflow),
    .RandomW (RandomW),
    .TermW   (TERM_W),
    .FieldW  (FIELD_W)
  ) u_add (
    .acc_i       (acc_before),
    .term_neg_i  (term_neg),
    .term_sig_i  (term_sig),
    .term_field_i(term_field),
    .random_i    (random_i),
    .y_o         (acc_d)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_q <= '0;
    end else if (en_i) begin
      acc_q <= acc_d;
    end
  end

  assign acc_o = acc_q;

endmodule

`default_nettype wire
