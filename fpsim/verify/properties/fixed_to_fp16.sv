// fpsim_fixed_to_fp16: y is the FP16 number nearest to x / 2^26, by where x lies between y's neighbours' midpoints.
//
// Magnitudes of FP16 are ordered as their bits. In units of 2^-26: S * 4 below field 2, S * 2^(field + 1) from there on.

module proof #(
  parameter int W = 46
) (
  input logic                negate_i,
  input logic signed [W-1:0] x_i
);

  logic [15:0] y_o;

  fpsim_fixed_to_fp16 #(.W(W), .FracW(26)) dut (.*);

  function automatic logic [63:0] units(input logic [14:0] bits);  // twice the value, in units of 2^-26
    if (bits[14:10] == 0) units = 64'(bits[9:0]) << 3;
    else                  units = (64'd1024 + bits[9:0]) << (bits[14:10] + 6'd2);
  endfunction

  logic [63:0] twice, below, here, above;
  logic        negative;

  always_comb begin
    assume (x_i != $signed({1'b1, {(W-1){1'b0}}}));
    negative = (x_i < 0) ^ negate_i;
    twice    = 2 * (x_i < 0 ? -(64'(x_i)) : 64'(x_i));
    here     = units(y_o[14:0]);
    below    = units(y_o[14:0] - 15'd1);
    above    = units(y_o[14:0] + 15'd1);  // of 65504 it would be 65536
    assert (y_o[14:0] <= 15'h7BFF);
    if (y_o[14:0] != 0) begin
      assert (2 * twice >= below + here);
      if (2 * twice == below + here) assert (!y_o[0]);
    end
    if (y_o[14:0] != 15'h7BFF) begin
      assert (2 * twice <= above + here);
      if (2 * twice == above + here) assert (!y_o[0]);
    end
    assert (y_o[15] == (negative && x_i != 0));
  end

endmodule
