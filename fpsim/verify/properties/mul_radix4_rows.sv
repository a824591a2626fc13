// fpsim_mul_radix4 at any width: a row is a digit of b times a in its place, the product is the rows' sum.
//
// That this sum is a * b is the rule of written multiplication; row and sum are seen through probes.

module proof #(
  parameter int AW   = 26,
  parameter int BW   = 11,
  parameter int OutW = 37
) (
  input logic [AW-1:0] a_i,
  input logic [BW-1:0] b_i
);

  localparam int DIGITS = (BW + 1) / 2;

  logic [OutW-1:0] p_o;

  fpsim_mul_radix4 #(.AW(AW), .BW(BW), .OutW(OutW)) dut (.*);

  (* keep *) wire [DIGITS*OutW-1:0] rows, sums;

  logic [BW:0]     b;
  logic [OutW-1:0] before, wanted;

  always_comb begin
    b      = {1'b0, b_i};
    before = '0;
    for (int d = 0; d < DIGITS; d++) begin
      wanted = '0;
      if (b[2*d])                   wanted = OutW'(a_i) << (2 * d);
      if (2*d + 1 < BW && b[2*d+1]) wanted = wanted + (OutW'(a_i) << (2 * d + 1));
      assert (rows[d*OutW +: OutW] == wanted);
      assert (sums[d*OutW +: OutW] == before + rows[d*OutW +: OutW]);
      before = sums[d*OutW +: OutW];
    end
    assert (p_o == sums[(DIGITS-1)*OutW +: OutW]);
  end

endmodule
