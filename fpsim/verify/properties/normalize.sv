// fpsim_normalize: a shift by n within both limits that loses nothing, and that is the longest such.

module proof #(
  parameter int W      = 12,
  parameter int NormW  = 4,
  parameter int LimitW = 4
) (
  input logic [W-1:0]      x_i,
  input logic [LimitW-1:0] limit_i
);

  logic [W-1:0]     y_o;
  logic [NormW-1:0] n_o;

  fpsim_normalize #(.W(W), .NormW(NormW), .LimitW(LimitW)) dut (.*);

  localparam int FULL_W = W + (1 << NormW);

  logic [FULL_W-1:0] full;
  logic [31:0]       most;

  always_comb begin
    full = FULL_W'(x_i) << n_o;
    most = 32'(limit_i) < (1 << NormW) - 1 ? 32'(limit_i) : (1 << NormW) - 1;
    assert (32'(n_o) <= most);
    assert (full == FULL_W'(y_o));
    assert (y_o[W-1] || 32'(n_o) == most);
  end

endmodule
