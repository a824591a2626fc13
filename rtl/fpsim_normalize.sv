// Left shift that brings the highest 1 to the top, by at most a limit.
//
//   n = min(zeros above the highest 1 of x, limit)      y = x << n
//
// Steps of 2^(NormW-1), ..., 2, 1: each is taken where the bits it would shift out are 0 and the rest of the limit
// allows it, which gives the smaller of the two because n stays below 2^NormW.
// Latency: combinational, NormW multiplexers deep. Throughput: one number. Overflow: none. x = 0 gives y = 0 and
// n = min(2^NormW - 1, limit). Python twin: none (part of float_add, dot products, epilogue).

`default_nettype none

module fpsim_normalize #(
  parameter int W      = 8,          // bits of x, 2 or more
  parameter int NormW  = $clog2(W),  // bits of n
  parameter int LimitW = $clog2(W)   // bits of the limit, NormW or more
) (
  input  logic [W-1:0]      x_i,
  input  logic [LimitW-1:0] limit_i,
  output logic [W-1:0]      y_o,
  output logic [NormW-1:0]  n_o
);

  logic [W-1:0]      level [0:NormW];
  logic [LimitW-1:0] rest  [0:NormW];
  logic              unused_rest;

  assign level[0] = x_i;
  assign rest[0]  = limit_i;

  for (genvar s = 0; s < NormW; s++) begin : gen_step
    localparam int BIT  = NormW - 1 - s;
    localparam int STEP = 1 << BIT;

    logic take;

    assign take       = !(|level[s][W-1:W-STEP]) && (|rest[s][LimitW-1:BIT]);
    assign level[s+1] = take ? {level[s][W-STEP-1:0], {STEP{1'b0}}} : level[s];
    assign rest[s+1]  = rest[s] - {LimitW'(take) << BIT};
    assign n_o[BIT]   = take;
  end

  assign y_o         = level[NormW];
  assign unused_rest = ^rest[NormW];

endmodule

`default_nettype wire
