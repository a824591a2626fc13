// One lane of fpsim_epilogue: y = FP16(acc * rho * c + b), one rounding, to nearest, ties to even.
//
//   stage 0   |acc| * rho's significand          AccW + 11 bits
//   stage 1   times c's significand              AccW + 21 bits, exact
//   stage 2   to fixed point, plus b             iiiiiiiiiiiiiiiii.ffffffffffffffffffffffffff    17 + 26 bits
//   stage 3   magnitude, normalize, round, pack
//
// Why 17 + 26 bits are exact: every FP16 value and every midpoint of two is a multiple of 2^-25 and b of 2^-24, so below
// 2^-26 only "more than" matters, which the jammed lowest bit says; a product of 2^17 or more saturates whatever b is
// (2^17 - 65504 >= 65520, the first sum that rounds beyond 65504).
//
// Latency: 4. Throughput: one number per cycle; stage s takes its input where load_i[s] = 1.
// Overflow: saturates to +-65504. A scale with exponent field 0 counts as 0. Registers are not reset.
// Python twin: fpsim/arith/epilogue.py.

`default_nettype none

module fpsim_epilogue_lane #(
  parameter int AccW = fpsim_pkg::ACC_W  // accumulator width, 9 to 40
) (
  input  logic                         clk_i,
  input  logic [3:0]                   load_i,
  input  logic signed [AccW-1:0]       acc_i,
  input  logic [fpsim_pkg::TF32_W-1:0] row_scale_i,
  input  logic [fpsim_pkg::TF32_W-1:0] col_scale_i,
  input  logic [fpsim_pkg::FP16_W-1:0] bias_i,
  output logic [fpsim_pkg::FP16_W-1:0] y_o
);

  localparam int EXP_W    = fpsim_pkg::TF32_EXP_W;
  localparam int SIG_W    = fpsim_pkg::TF32_MAN_W + 1;
  localparam int FP16_W   = fpsim_pkg::FP16_W;
  localparam int B_EXP_W  = fpsim_pkg::FP16_EXP_W;
  localparam int B_MAN_W  = fpsim_pkg::FP16_MAN_W;

  localparam int PARTIAL_W = AccW + SIG_W;           // |acc| up to 2^(AccW-1)
  localparam int PRODUCT_W = AccW - 1 + 2 * SIG_W;   // 2^(AccW-1) * (2^11 - 1)^2 is below 2^PRODUCT_W
  localparam int FRAC_W    = fpsim_pkg::FP16_BIAS + B_MAN_W + 1;  // 26: half of half the smallest step, 2^-24
  localparam int FIXED_W   = 17 + FRAC_W;            // products below 2^17
  localparam int WINDOW_W  = PRODUCT_W + FIXED_W;    // every place of the product above 2^-26, and below 2^17
  localparam int DIST_W    = $clog2(WINDOW_W + 1);   // a shift by WINDOW_W leaves the jam alone

  // ---------------------------------
  // Stage 0: |acc| * rho
  // ---------------------------------
  // The window's distance is START - (exponent of rho) - (exponent of c): two significands of 10 stored bits.
  localparam int START = FIXED_W - FRAC_W + 2 * (fpsim_pkg::TF32_BIAS + fpsim_pkg::TF32_MAN_W);
  localparam int SUM_W = EXP_W + 2;  // START - 2^9 to START, two's complement

  logic             row_sign, col_sign;
  logic [EXP_W-1:0] row_exp, col_exp;
  logic [SIG_W-1:0] row_sig, col_sig;
  logic [AccW-1:0]  acc_mag;

  assign {row_sign, row_exp} = row_scale_i[fpsim_pkg::TF32_W-1 -: EXP_W+1];
  assign {col_sign, col_exp} = col_scale_i[fpsim_pkg::TF32_W-1 -: EXP_W+1];
  assign row_sig = {1'b1, row_scale_i[SIG_W-2:0]} & {SIG_W{|row_exp}};
  assign col_sig = {1'b1, col_scale_i[SIG_W-2:0]} & {SIG_W{|col_exp}};
  assign acc_mag = (acc_i ^ {AccW{acc_i[AccW-1]}}) + AccW'(acc_i[AccW-1]);

  logic [PARTIAL_W-1:0] partial_d, partial_q;
  logic [SUM_W-1:0]     distance_d, distance_q;
  logic                 sign_d, sign_q;
  logic [SIG_W-1:0]     col_sig_q;
  logic [FP16_W-1:0]    bias_q;

  fpsim_mul_radix4 #(
    .AW  (AccW),
    .BW  (SIG_W),
    .OutW(PARTIAL_W)
  ) u_times_row (
    .a_i(acc_mag),
    .b_i(row_sig),
    .p_o(partial_d)
  );

  assign distance_d = SUM_W'(START) - SUM_W'(row_exp) - SUM_W'(col_exp);
  assign sign_d     = acc_i[AccW-1] ^ row_sign ^ col_sign;

  always_ff @(posedge clk_i) begin
    if (load_i[0]) begin
      partial_q  <= partial_d;
      distance_q <= distance_d;
      sign_q     <= sign_d;
      col_sig_q  <= col_sig;
      bias_q     <= bias_i;
    end
  end

  // ---------------------------------
  // Stage 1: times c
  // ---------------------------------
  logic [PRODUCT_W-1:0] product_d, product_q2;
  logic [DIST_W-1:0]    distance_q2;
  logic                 above_d, above_q2;  // the product's lowest place is beyond the window
  logic                 far;                // its highest place is below the window
  logic                 sign_q2;
  logic [FP16_W-1:0]    bias_q2;

  fpsim_mul_radix4 #(
    .AW  (PARTIAL_W),
    .BW  (SIG_W),
    .OutW(PRODUCT_W)
  ) u_times_column (
    .a_i(partial_q),
    .b_i(col_sig_q),
    .p_o(product_d)
  );

  assign above_d = distance_q[SUM_W-1];
  assign far     = |distance_q[SUM_W-2:DIST_W];

  always_ff @(posedge clk_i) begin
    if (load_i[1]) begin
      product_q2  <= product_d;
      distance_q2 <= distance_q[DIST_W-1:0] | {DIST_W{far}};
      above_q2    <= above_d;
      sign_q2     <= sign_q;
      bias_q2     <= bias_q;
    end
  end

  // ---------------------------------
  // Stage 2: fixed point, plus b
  // ---------------------------------
  localparam int BIAS_W = B_MAN_W + 1 + (1 << B_EXP_W);  // S << (E + 1): 43 bits
  localparam int TOTAL_W = FIXED_W + 3;                  // an overflow bit, the bias, the sign

  logic [FIXED_W-1:0] fixed;
  logic               beyond, overflow;
  logic               bias_sign, bias_normal, subtract;
  logic [B_EXP_W-1:0] bias_exp;
  logic [B_MAN_W-1:0] bias_man;
  logic [BIAS_W-1:0]  bias_fixed;
  logic [TOTAL_W-1:0] total_d, total_q3;  // in the direction of the product's sign
  logic               sign_q3;

  fpsim_shift_jam #(
    .InW      (WINDOW_W),
    .OutW     (FIXED_W),
    .DistanceW(DIST_W)
  ) u_to_fixed (
    .x_i       ({product_q2, {FIXED_W{1'b0}}}),
    .distance_i(distance_q2),
    .y_o       (fixed),
    .overflow_o(beyond)
  );

  assign overflow = above_q2 ? |product_q2 : beyond;  // fixed is then not valid, but 2^17 alone saturates

  assign {bias_sign, bias_exp, bias_man} = bias_q2;
  assign bias_normal = |bias_exp;
  assign bias_fixed  = BIAS_W'({bias_normal, bias_man, 1'b0}) << {bias_exp[B_EXP_W-1:1], bias_exp[0] | ~bias_normal};
  assign subtract    = sign_q2 ^ bias_sign;
  assign total_d     = TOTAL_W'({overflow, fixed}) + (TOTAL_W'(bias_fixed) ^ {TOTAL_W{subtract}}) + TOTAL_W'(subtract);

  always_ff @(posedge clk_i) begin
    if (load_i[2]) begin
      total_q3 <= total_d;
      sign_q3  <= sign_q2;
    end
  end

  // ---------------------------------
  // Stage 3: FP16
  // ---------------------------------
  logic [FP16_W-1:0] y_d, y_q4;

  fpsim_fixed_to_fp16 #(
    .W    (TOTAL_W),
    .FracW(FRAC_W)
  ) u_to_fp16 (
    .negate_i(sign_q3),
    .x_i     (total_q3),
    .y_o     (y_d)
  );

  always_ff @(posedge clk_i) begin
    if (load_i[3]) y_q4 <= y_d;
  end

  assign y_o = y_q4;

endmodule

`default_nettype wire
