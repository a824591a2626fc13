// fpsim_mul_radix4 is a * b; with fewer output bits, its low ones.

module proof #(
  parameter int AW   = 6,
  parameter int BW   = 5,
  parameter int OutW = 11
) (
  input logic [AW-1:0] a_i,
  input logic [BW-1:0] b_i
);

  logic [OutW-1:0] p_o;

  fpsim_mul_radix4 #(.AW(AW), .BW(BW), .OutW(OutW)) dut (.*);

  logic [AW+BW-1:0] product;
  assign product = a_i * b_i;

  always_comb assert (p_o == product[OutW-1:0]);

endmodule
