// fpsim_add_tree is the sum of the numbers, added one after the other.

module proof #(
  parameter int Lanes = 4,
  parameter int W     = 9
) (
  input logic [Lanes*W-1:0] x_i
);

  logic signed [W+$clog2(Lanes)-1:0] sum_o;

  fpsim_add_tree #(.Lanes(Lanes), .W(W)) dut (.*);

  logic signed [31:0] sum;

  always_comb begin
    sum = 0;
    for (int i = 0; i < Lanes; i++) sum = sum + $signed({{(32-W){x_i[i*W + W - 1]}}, x_i[i*W +: W]});
    assert ($signed({{(32-W-$clog2(Lanes)){sum_o[W+$clog2(Lanes)-1]}}, sum_o}) == sum);
  end

endmodule
