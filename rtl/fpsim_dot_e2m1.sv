// Exact dot product of two beats of E2M1 codes, in quarters (steps of 1/2 times steps of 1/2).
//
//   stage 0   decode, multiply, add groups of 4     11 bits each: 4 * 144
//   stage 1   add the groups                        9 + log2 Lanes bits
//
// Latency: 2. Throughput: one beat per cycle; stage s takes its input where load_i[s] = 1. Overflow: none.
// Registers are not reset. Python twin: fpsim/arith/dot_block.py.

`default_nettype none

module fpsim_dot_e2m1 #(
  parameter int Lanes = 32  // products per beat, a power of two, 8 or more
) (
  input  logic                                clk_i,
  input  logic [1:0]                          load_i,
  input  logic [Lanes*fpsim_pkg::CODE_W-1:0]  a_codes_i,
  input  logic [Lanes*fpsim_pkg::CODE_W-1:0]  b_codes_i,
  output logic signed [9+$clog2(Lanes)-1:0]   dot_o
);

  localparam int CODE_W    = fpsim_pkg::CODE_W;
  localparam int FORMATS   = 1 << fpsim_pkg::FMT_E2M1;
  localparam int PRODUCT_W = 9;  // sign, magnitude up to 144
  localparam int GROUP     = 4;
  localparam int GROUPS    = Lanes / GROUP;
  localparam int PARTIAL_W = PRODUCT_W + $clog2(GROUP);
  localparam int DOT_W     = PRODUCT_W + $clog2(Lanes);

  // ---------------------------------
  // Stage 0: products, groups of 4
  // ---------------------------------
  logic [Lanes*PRODUCT_W-1:0]  products;
  logic [GROUPS*PARTIAL_W-1:0] partial_d, partial_q;

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic                                   a_neg, b_neg;
    logic [fpsim_pkg::SIG_W-1:0]            a_sig, b_sig;
    logic [fpsim_pkg::SHIFT_W-1:0]          a_shift, b_shift;
    logic signed [fpsim_pkg::PRODUCT_W-1:0] product;
    logic                                   unused_high;

    fpsim_decode #(
      .Formats(FORMATS)
    ) u_decode_a (
      .code_i (a_codes_i[i*CODE_W +: CODE_W]),
      .fmt_i  (fpsim_pkg::FMT_E2M1),
      .low_i  (1'b0),
      .neg_o  (a_neg),
      .sig_o  (a_sig),
      .shift_o(a_shift)
    );

    fpsim_decode #(
      .Formats(FORMATS)
    ) u_decode_b (
      .code_i (b_codes_i[i*CODE_W +: CODE_W]),
      .fmt_i  (fpsim_pkg::FMT_E2M1),
      .low_i  (1'b0),
      .neg_o  (b_neg),
      .sig_o  (b_sig),
      .shift_o(b_shift)
    );

    fpsim_mul #(
      .Formats(FORMATS)
    ) u_mul (
      .a_neg_i  (a_neg),
      .a_sig_i  (a_sig),
      .a_shift_i(a_shift),
      .b_neg_i  (b_neg),
      .b_sig_i  (b_sig),
      .b_shift_i(b_shift),
      .product_o(product)
    );

    assign products[i*PRODUCT_W +: PRODUCT_W] = product[PRODUCT_W-1:0];
    assign unused_high                        = ^product;
  end

  for (genvar g = 0; g < GROUPS; g++) begin : gen_group
    logic signed [PARTIAL_W-1:0] group_sum;

    fpsim_add_tree #(
      .Lanes(GROUP),
      .W    (PRODUCT_W)
    ) u_group (
      .x_i  (products[g*GROUP*PRODUCT_W +: GROUP*PRODUCT_W]),
      .sum_o(group_sum)
    );

    assign partial_d[g*PARTIAL_W +: PARTIAL_W] = group_sum;
  end

  // ---------------------------------
  // Stage 1: all groups
  // ---------------------------------
  logic signed [DOT_W-1:0] dot_d, dot_q;

  fpsim_add_tree #(
    .Lanes(GROUPS),
    .W    (PARTIAL_W)
  ) u_all (
    .x_i  (partial_q),
    .sum_o(dot_d)
  );

  always_ff @(posedge clk_i) begin
    if (load_i[0]) partial_q <= partial_d;
    if (load_i[1]) dot_q <= dot_d;
  end

  assign dot_o = dot_q;

endmodule

`default_nettype wire
