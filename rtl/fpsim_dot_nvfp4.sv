// Dot product of NVFP4 blocks: 16 pairs of E2M1 codes under two UE4M3 scales, onto a running FP32 sum.
//
//   acc <- FP32((first ? +0 : acc) + (sum of 16 products) * a_scale * b_scale), one rounding
//
//   stages 0, 1   decode, multiply, add: the exact sum in quarters, up to 16 * 144; the scales' significands multiply,
//                 their exponents add up
//   stage 2       magnitude times the scales' significand, 2304 * 225: 19 bits, normalized, and the field of the top one
//   stage 3       onto acc: to nearest even, saturated
//
// in_first_i, in_last_i: the first and the last block of a sum, which is offered after the last. A shorter last block is
// padded with code 0. A block under a NaN scale (127) adds 0 and raises out_special_o of its sum: an error for the host.
// Latency: 4 from the last block to its sum. Throughput: one block per cycle; stalls while a sum waits.
// Overflow: saturates to the largest finite FP32 number. An exact sum of 0 is +0. Python twin: fpsim/arith/dot_nvfp4.py.

`default_nettype none

module fpsim_dot_nvfp4 (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            in_valid_i,
  output logic                            in_ready_o,
  input  logic                            in_first_i,
  input  logic                            in_last_i,
  input  logic [16*fpsim_pkg::CODE_W-1:0] a_codes_i,
  input  logic [16*fpsim_pkg::CODE_W-1:0] b_codes_i,
  input  logic [fpsim_pkg::UE4M3_W-1:0]   a_scale_i,
  input  logic [fpsim_pkg::UE4M3_W-1:0]   b_scale_i,
  output logic                            out_valid_o,
  input  logic                            out_ready_i,
  output logic [fpsim_pkg::FP32_W-1:0]    out_acc_o,
  output logic                            out_special_o
);

  localparam int LANES   = 16;
  localparam int STAGES  = 3;
  localparam int S_EXP_W = fpsim_pkg::UE4M3_EXP_W;
  localparam int S_MAN_W = fpsim_pkg::UE4M3_MAN_W;
  localparam int SIG_W   = 2 * (S_MAN_W + 1);  // product of two significands, up to 225
  localparam int EXP_W   = S_EXP_W + 1;        // sum of two exponent fields
  localparam int DOT_W   = 13;                 // sign, magnitude up to 2304
  localparam int MAG_W   = DOT_W - 1;
  localparam int TERM_W  = 19;                 // 2304 * 225 = 518,400
  localparam int NORM_W  = $clog2(TERM_W);
  localparam int FIELD_W = 10;                 // 107 to 153, less what normalization takes
  // Field of the top bit of the term: FP32's bias, quarters, the scales' biases and stored significands.
  localparam int FIELD_0 = fpsim_pkg::FP32_BIAS + TERM_W - 1 - 2 - 2 * (fpsim_pkg::UE4M3_BIAS + S_MAN_W);

  logic [STAGES-1:0] load;
  logic              term_valid, term_ready;

  fpsim_pipeline_control #(
    .Stages(STAGES)
  ) u_control (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .out_valid_o(term_valid),
    .out_ready_i(term_ready),
    .load_o     (load)
  );

  // ---------------------------------
  // Stages 0 and 1: sum of products, product of scales
  // ---------------------------------
  logic signed [DOT_W-1:0]  dot;
  logic                     special, a_normal, b_normal;
  logic [S_EXP_W-1:0]       a_exp, b_exp;
  logic [SIG_W-1:0]         scale_sig;
  logic [EXP_W-1:0]         scale_exp;
  logic [SIG_W+EXP_W+2:0]   side_d, side_q, side_q2;  // {first, last, special, significand, exponent}

  fpsim_dot_e2m1 #(
    .Lanes(LANES)
  ) u_dot (
    .clk_i    (clk_i),
    .load_i   (load[1:0]),
    .a_codes_i(a_codes_i),
    .b_codes_i(b_codes_i),
    .dot_o    (dot)
  );

  assign special  = (&a_scale_i) || (&b_scale_i);
  assign a_normal = |a_scale_i[S_MAN_W +: S_EXP_W];
  assign b_normal = |b_scale_i[S_MAN_W +: S_EXP_W];
  assign a_exp    = {a_scale_i[S_MAN_W+1 +: S_EXP_W-1], a_scale_i[S_MAN_W] | !a_normal};
  assign b_exp    = {b_scale_i[S_MAN_W+1 +: S_EXP_W-1], b_scale_i[S_MAN_W] | !b_normal};

  assign scale_exp = {1'b0, a_exp} + {1'b0, b_exp};
  assign scale_sig = SIG_W'({a_normal, a_scale_i[S_MAN_W-1:0]}) * SIG_W'({b_normal, b_scale_i[S_MAN_W-1:0]});
  assign side_d    = {in_first_i, in_last_i, special, scale_sig, scale_exp};

  always_ff @(posedge clk_i) begin
    if (load[0]) side_q <= side_d;
    if (load[1]) side_q2 <= side_q;
  end

  // ---------------------------------
  // Stage 2: magnitude times significand, normalize
  // ---------------------------------
  logic                      first, last, is_special;
  logic [SIG_W-1:0]          sig;
  logic [EXP_W-1:0]          exponent;
  logic [MAG_W-1:0]          magnitude;
  logic [TERM_W-1:0]         scaled, term_sig;
  logic [NORM_W-1:0]         no_limit, down;
  logic signed [FIELD_W-1:0] term_field;
  logic                      first_q3, last_q3, special_q3, neg_q3;
  logic [TERM_W-1:0]         sig_q3;
  logic signed [FIELD_W-1:0] field_q3;

  assign {first, last, is_special, sig, exponent} = side_q2;
  assign magnitude  = ((dot[MAG_W-1:0] ^ {MAG_W{dot[DOT_W-1]}}) + MAG_W'(dot[DOT_W-1])) & {MAG_W{!is_special}};
  assign no_limit   = '1;
  assign term_field = FIELD_W'(exponent) + FIELD_W'(FIELD_0) - FIELD_W'(down);

  fpsim_mul_radix4 #(
    .AW  (MAG_W),
    .BW  (SIG_W),
    .OutW(TERM_W)
  ) u_scale (
    .a_i(magnitude),
    .b_i(sig),
    .p_o(scaled)
  );

  fpsim_normalize #(
    .W     (TERM_W),
    .NormW (NORM_W),
    .LimitW(NORM_W)
  ) u_normalize (
    .x_i    (scaled),
    .limit_i(no_limit),
    .y_o    (term_sig),
    .n_o    (down)
  );

  always_ff @(posedge clk_i) begin
    if (load[2]) begin
      first_q3   <= first;
      last_q3    <= last;
      special_q3 <= is_special;
      neg_q3     <= dot[DOT_W-1];  // of a term 0 too: the sum is never -0, to which it would matter
      sig_q3     <= term_sig;
      field_q3   <= term_field;
    end
  end

  // ---------------------------------
  // Stage 3: onto the sum
  // ---------------------------------
  fpsim_dot_accumulate #(
    .TermW (TERM_W),
    .FieldW(FIELD_W)
  ) u_accumulate (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .in_valid_i   (term_valid),
    .in_ready_o   (term_ready),
    .first_i      (first_q3),
    .last_i       (last_q3),
    .special_i    (special_q3),
    .term_neg_i   (neg_q3),
    .term_sig_i   (sig_q3),
    .term_field_i (field_q3),
    .out_valid_o  (out_valid_o),
    .out_ready_i  (out_ready_i),
    .out_acc_o    (out_acc_o),
    .out_special_o(out_special_o)
  );

endmodule

`default_nettype wire
