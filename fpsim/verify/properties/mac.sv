// fpsim_mac holds the sum of the products since the first one, 16-fold at every shift, modulo 2^AccW, at every clock edge and after a reset.

module proof #(
  parameter int AccW    = 26,
  parameter int Formats = 15
) (
  input logic       clk_i, rst_ni, en_i, first_i, shift_i,
  input logic       a_neg_i, b_neg_i,
  input logic [3:0] a_sig_i, b_sig_i,
  input logic [2:0] a_shift_i, b_shift_i
);

  logic signed [AccW-1:0] acc_o;
  logic signed [13:0]     product;
  logic                   legal;

  fpsim_mac #(.AccW(AccW), .Formats(Formats)) dut (.*);
  expected u_expected (
    .a_i({a_neg_i, a_sig_i, a_shift_i}), .b_i({b_neg_i, b_sig_i, b_shift_i}),
    .legal_o(legal), .product_o(product)
  );

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic signed [63:0] sum_q;  // of the bits that count, those below AccW

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)               sum_q <= '0;
    else if (en_i && first_i)  sum_q <= product;
    else if (en_i && shift_i)  sum_q <= 16 * sum_q + product;
    else if (en_i)             sum_q <= sum_q + product;
  end

  always_comb begin
    assume (legal);
    if (!started) assume (!rst_ni);
    assert (acc_o == sum_q[AccW-1:0]);
  end

endmodule
