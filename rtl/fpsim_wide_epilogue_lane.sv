// One lane of fpsim_wide_epilogue: y = result(acc * rho * c + b), one rounding, to nearest, ties to even.
//
//   stage 0   |acc| * rho's significand                 stage 1   times c's significand: PRODUCT_W bits, exact
//   stage 2   product and b, leading 1s to the top
//   stage 3   the one of the smaller exponent is shifted right (jam), then sum or difference
//   stage 4   leading 1 to the top                      stage 5   round, pack (fpsim_round_float)
//
// Why FRAME_W = PRODUCT_W + 2 bits and a jam are exact: shifted by 2 or less the smaller one loses nothing. Shifted
// further it takes at most one bit from the top of the larger one, so that the result's half lies far above the jam.
//
// Latency: 6. Throughput: one number per cycle; stage s takes its input where load_i[s] = 1.
// Overflow: saturates. A scale with exponent field 0 counts as 0. Registers are not reset.
// Python twin: fpsim/arith/epilogue.py.

`default_nettype none

module fpsim_wide_epilogue_lane #(
  parameter int AccW = fpsim_pkg::ACC_W  // accumulator width, 9 to 42
) (
  input  logic                         clk_i,
  input  logic [5:0]                   load_i,
  input  logic signed [AccW-1:0]       acc_i,
  input  logic [fpsim_pkg::TF32_W-1:0] row_scale_i,
  input  logic [fpsim_pkg::TF32_W-1:0] col_scale_i,
  input  logic [fpsim_pkg::FP16_W-1:0] bias_i,
  input  logic [1:0]                   result_i,  // with stage 5
  output logic [31:0]                  y_o
);

  localparam int EXP_W     = fpsim_pkg::TF32_EXP_W;
  localparam int SIG_W     = fpsim_pkg::TF32_MAN_W + 1;
  localparam int FP16_W    = fpsim_pkg::FP16_W;
  localparam int B_EXP_W   = fpsim_pkg::FP16_EXP_W;
  localparam int B_SIG_W   = fpsim_pkg::FP16_MAN_W + 1;
  localparam int PARTIAL_W = AccW + SIG_W;
  localparam int PRODUCT_W = AccW - 1 + 2 * SIG_W;  // 2^(AccW-1) * (2^11 - 1)^2 is below 2^PRODUCT_W
  localparam int FRAME_W   = PRODUCT_W + 2;
  localparam int TOTAL_W   = FRAME_W + 1;           // a carry
  localparam int E_W       = 12;                    // exponents -253 to 298 and their differences, signed
  // Exponent of the product's top bit where both exponent fields are 0.
  localparam int TOP_EXP = PRODUCT_W - 1 - 2 * (fpsim_pkg::TF32_BIAS + fpsim_pkg::TF32_MAN_W);
  localparam logic [E_W-1:0] ZERO_EXP = E_W'(-800);  // of a zero: below every other by more than the frame

  // ---------------------------------
  // Stages 0, 1: product
  // ---------------------------------
  logic                 row_sign, col_sign;
  logic [EXP_W-1:0]     row_exp, col_exp;
  logic [SIG_W-1:0]     row_sig, col_sig, col_sig_q;
  logic [AccW-1:0]      acc_mag;
  logic [PARTIAL_W-1:0] partial_d, partial_q;
  logic [PRODUCT_W-1:0] product_d, product_q2;
  logic [E_W-1:0]       exp_q, exp_q2;
  logic                 sign_q, sign_q2;
  logic [FP16_W-1:0]    bias_q, bias_q2;

  assign {row_sign, row_exp} = row_scale_i[fpsim_pkg::TF32_W-1 -: EXP_W+1];
  assign {col_sign, col_exp} = col_scale_i[fpsim_pkg::TF32_W-1 -: EXP_W+1];
  assign row_sig = {1'b1, row_scale_i[SIG_W-2:0]} & {SIG_W{|row_exp}};
  assign col_sig = {1'b1, col_scale_i[SIG_W-2:0]} & {SIG_W{|col_exp}};
  assign acc_mag = (acc_i ^ {AccW{acc_i[AccW-1]}}) + AccW'(acc_i[AccW-1]);

  fpsim_mul_radix4 #(.AW(AccW), .BW(SIG_W), .OutW(PARTIAL_W)) u_times_row (
    .a_i(acc_mag), .b_i(row_sig), .p_o(partial_d)
  );
  fpsim_mul_radix4 #(.AW(PARTIAL_W), .BW(SIG_W), .OutW(PRODUCT_W)) u_times_column (
    .a_i(partial_q), .b_i(col_sig_q), .p_o(product_d)
  );

  always_ff @(posedge clk_i) begin
    if (load_i[0]) begin
      partial_q <= partial_d;
      exp_q     <= E_W'(TOP_EXP) + E_W'(row_exp) + E_W'(col_exp);
      sign_q    <= acc_i[AccW-1] ^ row_sign ^ col_sign;
      col_sig_q <= col_sig;
      bias_q    <= bias_i;
    end
    if (load_i[1]) begin
      product_q2 <= product_d;
      exp_q2     <= exp_q;
      sign_q2    <= sign_q;
      bias_q2    <= bias_q;
    end
  end

  // ---------------------------------
  // Stage 2: leading 1s to the top; exponents of these
  // ---------------------------------
  localparam int ZEROS_W   = $clog2(PRODUCT_W);
  localparam int B_ZEROS_W = $clog2(B_SIG_W);

  logic                 bias_sign, bias_sign_q3, sign_q3;
  logic [B_EXP_W-1:0]   bias_field;
  logic [B_SIG_W-1:0]   bias_sig, b_norm, b_norm_q3;
  logic [PRODUCT_W-1:0] p_norm, p_norm_q3;
  logic [ZEROS_W-1:0]   p_zeros;
  logic [B_ZEROS_W-1:0] b_zeros;
  logic [E_W-1:0]       p_exp_q3, b_exp_q3;

  assign {bias_sign, bias_field} = bias_q2[FP16_W-1 -: B_EXP_W+1];
  assign bias_sig = {|bias_field, bias_q2[B_SIG_W-2:0]};

  fpsim_normalize #(.W(PRODUCT_W)) u_product (
    .x_i(product_q2), .limit_i({ZEROS_W{1'b1}}), .y_o(p_norm), .n_o(p_zeros)
  );
  fpsim_normalize #(.W(B_SIG_W)) u_bias (
    .x_i(bias_sig), .limit_i({B_ZEROS_W{1'b1}}), .y_o(b_norm), .n_o(b_zeros)
  );

  always_ff @(posedge clk_i) begin
    if (load_i[2]) begin
      p_norm_q3    <= p_norm;
      b_norm_q3    <= b_norm;
      p_exp_q3     <= p_norm[PRODUCT_W-1] ? exp_q2 - E_W'(p_zeros) : ZERO_EXP;
      b_exp_q3     <= !b_norm[B_SIG_W-1] ? ZERO_EXP
                    : E_W'(bias_field) + E_W'(~|bias_field) - E_W'(fpsim_pkg::FP16_BIAS) - E_W'(b_zeros);
      sign_q3      <= sign_q2;
      bias_sign_q3 <= bias_sign;
    end
  end

  // ---------------------------------
  // Stage 3: one exponent, then the sum
  // ---------------------------------
  localparam int DIST_W = $clog2(FRAME_W + 1);  // a shift by FRAME_W or more leaves the jam alone

  logic [E_W-1:0]     apart, distance, exp_q4;
  logic [DIST_W-1:0]  steps;
  logic               swap, far, subtract, borrow, sign_d, sign_q4;
  logic [FRAME_W-1:0] p_frame, b_frame, major, minor, shifted;
  logic [TOTAL_W-1:0] sum, total_q4;
  logic               unused_overflow;

  assign p_frame  = {p_norm_q3, 2'b0};
  assign b_frame  = {b_norm_q3, {(FRAME_W-B_SIG_W){1'b0}}};
  assign apart    = p_exp_q3 - b_exp_q3;
  assign swap     = apart[E_W-1];
  assign distance = (apart ^ {E_W{swap}}) + E_W'(swap);
  assign far      = |distance[E_W-1:DIST_W];
  assign steps    = distance[DIST_W-1:0] | {DIST_W{far}};
  assign major    = swap ? b_frame : p_frame;
  assign minor    = swap ? p_frame : b_frame;
  assign subtract = sign_q3 ^ bias_sign_q3;

  fpsim_shift_jam #(.InW(FRAME_W), .OutW(FRAME_W), .DistanceW(DIST_W)) u_align (
    .x_i(minor), .distance_i(steps), .y_o(shifted), .overflow_o(unused_overflow)
  );

  assign sum    = {1'b0, major} + ({1'b0, shifted} ^ {TOTAL_W{subtract}}) + TOTAL_W'(subtract);
  assign borrow = subtract && sum[TOTAL_W-1];  // equal exponents, the other one is larger
  assign sign_d = (swap ? bias_sign_q3 : sign_q3) ^ borrow;

  always_ff @(posedge clk_i) begin
    if (load_i[3]) begin
      total_q4 <= (sum ^ {TOTAL_W{borrow}}) + TOTAL_W'(borrow);
      sign_q4  <= sign_d;
      exp_q4   <= (swap ? b_exp_q3 : p_exp_q3) + E_W'(1);
    end
  end

  // ---------------------------------
  // Stages 4, 5: leading 1 to the top, round
  // ---------------------------------
  localparam int T_ZEROS_W = $clog2(TOTAL_W);

  logic [TOTAL_W-1:0]   normal, normal_q5;
  logic [T_ZEROS_W-1:0] t_zeros;
  logic [E_W-1:0]       exp_q5;
  logic                 sign_q5;
  logic [31:0]          y_d, y_q6;

  fpsim_normalize #(.W(TOTAL_W)) u_total (
    .x_i(total_q4), .limit_i({T_ZEROS_W{1'b1}}), .y_o(normal), .n_o(t_zeros)
  );

  fpsim_round_float #(.W(TOTAL_W), .ExpW(E_W)) u_round (
    .negative_i(sign_q5), .x_i(normal_q5), .exp_i(exp_q5), .result_i(result_i), .y_o(y_d)
  );

  always_ff @(posedge clk_i) begin
    if (load_i[4]) begin
      normal_q5 <= normal;
      exp_q5    <= exp_q4 - E_W'(t_zeros);
      sign_q5   <= sign_q4;
    end
    if (load_i[5]) y_q6 <= y_d;
  end

  assign y_o = y_q6;

endmodule

`default_nettype wire
