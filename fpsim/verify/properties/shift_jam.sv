// fpsim_shift_jam against a plain shift: what was lost is what does not come back.

module proof #(
  parameter int InW       = 12,
  parameter int OutW      = 6,
  parameter int DistanceW = 4
) (
  input logic [InW-1:0]       x_i,
  input logic [DistanceW-1:0] distance_i
);

  logic [OutW-1:0] y_o;
  logic            overflow_o;

  fpsim_shift_jam #(.InW(InW), .OutW(OutW), .DistanceW(DistanceW)) dut (.*);

  logic [InW-1:0] quotient;
  assign quotient = x_i >> distance_i;

  always_comb begin
    assert (overflow_o == ((quotient >> OutW) != 0));
    if (!overflow_o) begin
      if ((quotient << distance_i) == x_i) assert (y_o == quotient[OutW-1:0]);
      else                                 assert (y_o == {quotient[OutW-1:1], 1'b1});
    end
  end

endmodule
