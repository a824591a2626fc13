// fpsim_max is one of the numbers, and none is larger.

module proof #(
  parameter int Lanes = 5,
  parameter int W     = 8
) (
  input logic [Lanes*W-1:0] x_i
);

  logic [W-1:0] max_o;
  logic         found;

  fpsim_max #(.Lanes(Lanes), .W(W)) dut (.*);

  always_comb begin
    found = 1'b0;
    for (int i = 0; i < Lanes; i++) begin
      found = found | (x_i[i*W +: W] == max_o);
      assert (x_i[i*W +: W] <= max_o);
    end
    assert (found);
  end

endmodule
