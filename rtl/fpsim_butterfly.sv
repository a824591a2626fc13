// Radix-2 Hadamard butterfly: (a, b) -> (a + b, a - b), or (a, b) itself when en_i = 0.
//
// Latency: combinational. Throughput: one pair. Overflow: none, one bit of growth.
// Python twin: fpsim/arith/hadamard.py.

`default_nettype none

module fpsim_butterfly #(
  parameter int W = 16  // bits of an input
) (
  input  logic                en_i,
  input  logic signed [W-1:0] a_i,
  input  logic signed [W-1:0] b_i,
  output logic signed [W:0]   sum_o,
  output logic signed [W:0]   diff_o
);

  localparam int OUT_W = W + 1;  // |a| + |b|

  logic [OUT_W-1:0] a, b;

  assign a = {a_i[W-1], a_i};
  assign b = {b_i[W-1], b_i};

  // Masked operands instead of a bypass multiplexer: a + 0 and 0 + b.
  assign sum_o  = a + (b & {OUT_W{en_i}});
  assign diff_o = (a & {OUT_W{en_i}}) + (b ^ {OUT_W{en_i}}) + OUT_W'(en_i);

endmodule

`default_nettype wire
