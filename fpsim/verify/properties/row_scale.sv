// fpsim_row_scale: the amplitude by a shift that is searched from below, the scale by reading it back as a number.

module proof #(
  parameter int GuardBits = 4,
  parameter int W         = 21
) (
  input logic [W-1:0] amax_i,
  input logic [4:0]   exp_i
);

  logic [W-1:0]  amp_o;
  logic [18:0]   scale_o;

  fpsim_row_scale #(.GuardBits(GuardBits), .W(W)) dut (.*);

  logic [63:0]        amp, quotient, rest, unit;
  logic signed [15:0] places;  // scale = significand * 2^(places - 10), in units of the amplitude

  always_comb begin
    assume (amax_i <= (1 << (W - 1)));
    assume (exp_i >= 1 && exp_i <= 30);
    unit = 1;
    for (int i = 0; i < W - 11; i++) begin
      if (64'(amax_i) >= (unit << 11)) unit = unit << 1;
    end
    rest     = 64'(amax_i) & (unit - 64'd1);
    quotient = 64'(amax_i) - rest;
    amp      = 2 * rest > unit || (2 * rest == unit && (quotient & unit) != 0) ? quotient + unit : quotient;
    assert (64'(amp_o) == amp);

    places = $signed({1'b0, scale_o[17:10]}) - 127 - ($signed({1'b0, exp_i}) - 25 - GuardBits);
    if (amax_i == 0) begin
      assert (scale_o == 0);
    end else begin
      assert (scale_o[18] == 1'b0 && scale_o[17:10] != 0 && scale_o[17:10] != 255);
      assert (places >= 0 && places < W);
      assert ((64'd1024 + scale_o[9:0]) << places[5:0] == amp << 10);
    end
  end

endmodule
