// fpsim_amax is the magnitude of one of the integers, and none is larger.

module proof #(
  parameter int Lanes = 5,
  parameter int W     = 13
) (
  input logic [Lanes*W-1:0] h_i
);

  logic [W-1:0] amax_o;
  logic         found;

  fpsim_amax #(.Lanes(Lanes), .W(W)) dut (.*);

  logic signed [W:0] h, magnitude;

  always_comb begin
    found = 1'b0;
    for (int i = 0; i < Lanes; i++) begin
      h = $signed(h_i[i*W +: W]);
      magnitude = h < 0 ? -h : h;
      found = found | (magnitude == $signed({1'b0, amax_o}));
      assert (magnitude <= $signed({1'b0, amax_o}));
    end
    assert (found);
  end

endmodule
