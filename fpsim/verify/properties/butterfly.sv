// fpsim_butterfly is a + b and a - b, or a and b.

module proof #(
  parameter int W = 16
) (
  input logic                en_i,
  input logic signed [W-1:0] a_i,
  input logic signed [W-1:0] b_i
);

  logic signed [W:0] sum_o, diff_o;

  fpsim_butterfly #(.W(W)) dut (.*);

  logic signed [31:0] a, b;
  assign a = a_i;
  assign b = b_i;

  always_comb begin
    assert (sum_o  == (en_i ? a + b : a));
    assert (diff_o == (en_i ? a - b : b));
  end

endmodule
