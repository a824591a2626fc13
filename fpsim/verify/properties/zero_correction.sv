// fpsim_zero_correction, its registers left out: the sum without its zero points, which fits.

module proof #(
  parameter int AccW   = 9,
  parameter int DepthW = 3
) (
  input logic                       clk_i,
  input logic signed [AccW-1:0]     acc_i,
  input logic signed [8+DepthW-1:0] row_sum_i, col_sum_i,
  input logic signed [7:0]          act_zero_i,
  input logic [DepthW-1:0]          depth_i,
  input logic signed [15:0]         weight_zero_i
);

  localparam int OUT_W = 40;

  logic                    in_ready_o, out_valid_o;
  logic signed [OUT_W-1:0] sum_o;

  fpsim_zero_correction #(.Lanes(1), .AccW(AccW), .DepthW(DepthW)) dut (
    .clk_i(clk_i), .rst_ni(1'b1), .in_valid_i(1'b1), .in_ready_o(in_ready_o), .acc_i(acc_i), .row_sum_i(row_sum_i),
    .act_zero_i(act_zero_i), .depth_i(depth_i), .col_sum_i(col_sum_i), .weight_zero_i(weight_zero_i),
    .out_valid_o(out_valid_o), .out_ready_i(1'b1), .sum_o(sum_o)
  );

  (* keep *) wire signed [8+DepthW:0] t_d;
  (* keep *) wire signed [OUT_W-1:0]  rest_d, product_d;

  logic signed [63:0] acc, row_sum, col_sum, act_zero, depth, weight_zero, row;

  always_comb begin
    acc         = acc_i;
    row_sum     = row_sum_i;
    col_sum     = col_sum_i;
    act_zero    = act_zero_i;
    depth       = $signed({1'b0, depth_i});
    weight_zero = weight_zero_i;
    row         = row_sum - depth * act_zero;
    assume (weight_zero >= -32 && weight_zero <= 31);  // wider ones are beyond the solver
    assert (64'(t_d) == row);
    assert (64'(rest_d) == acc - act_zero * col_sum);
    assert (64'(product_d) == weight_zero * row);
    assert (64'(sum_o) == acc - weight_zero * row - act_zero * col_sum);
  end

endmodule
