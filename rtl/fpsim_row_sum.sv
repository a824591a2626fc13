// Sum of a row's integer codes, beat after beat: what the zero points' correction needs of the activations.
//
//   sum <- (first ? 0 : sum) + codes of the beat, each 16 * high + low, high in two's complement
//
// high_i, low_i: nibbles as fpsim_wide_quantizer gives them. en_i: the beat counts.
// Latency: 1. Throughput: one beat per cycle. Overflow: none for rows up to 2^DepthW - 1 elements.
// Python twin: fpsim/arith/zero_sums.py (row_sum).

`default_nettype none

module fpsim_row_sum #(
  parameter int Lanes  = fpsim_pkg::HADAMARD_N,  // codes per beat
  parameter int DepthW = 13                      // bits of K: 8191 elements of a row
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                en_i,
  input  logic                first_i,
  input  logic [Lanes*4-1:0]  high_i,
  input  logic [Lanes*4-1:0]  low_i,
  output logic [8+DepthW-1:0] sum_o
);

  localparam int SUM_W = 8 + DepthW;  // -128 * (2^DepthW - 1) to 127 * (2^DepthW - 1)

  logic [SUM_W-1:0] partial [0:Lanes];
  logic [SUM_W-1:0] sum_d, sum_q;

  assign partial[0] = '0;

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [7:0] code;
    assign code         = {high_i[i*4 +: 4], low_i[i*4 +: 4]};
    assign partial[i+1] = partial[i] + {{DepthW{code[7]}}, code};
  end

  assign sum_d = en_i ? (sum_q & {SUM_W{~first_i}}) + partial[Lanes] : sum_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sum_q <= '0;
    end else begin
      sum_q <= sum_d;
    end
  end

  assign sum_o = sum_q;

endmodule

`default_nettype wire
