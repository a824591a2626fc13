// fpsim_range: each extreme is 0 or one of the integers, and none of them lies beyond it.

module proof #(
  parameter int Lanes = 3,
  parameter int W     = 13
) (
  input logic [Lanes*W-1:0] h_i
);

  logic signed [W-1:0] high_o, low_o, h;
  logic                found_high, found_low;

  fpsim_range #(.Lanes(Lanes), .W(W)) dut (.h_i(h_i), .high_o(high_o), .low_o(low_o));

  always_comb begin
    found_high = high_o == 0;
    found_low  = low_o == 0;
    for (int i = 0; i < Lanes; i++) begin
      h          = $signed(h_i[i*W +: W]);
      found_high = found_high | (h == high_o);
      found_low  = found_low | (h == low_o);
      assert (h <= high_o && h >= low_o);
    end
    assert (found_high && found_low && high_o >= 0 && low_o <= 0);
  end

endmodule
