// Leading 1 to the top: y = x << zeros, zeros = number of zeros above the leading 1.
//
// Latency: combinational, log2 W multiplexers deep. Throughput: one number. Overflow: none; x = 0 gives y = 0 and
// zeros = 2^CountW - 1. Python twin: none (part of the epilogue).

`default_nettype none

module fpsim_normalize #(
  parameter int W      = 8,           // bits of x, 2 or more
  parameter int CountW = $clog2(W)  // bits of the count
) (
  input  logic [W-1:0]      x_i,
  output logic [W-1:0]      y_o,
  output logic [CountW-1:0] zeros_o
);

  logic [W-1:0] level [0:CountW];

  assign level[0] = x_i;

  for (genvar s = 0; s < CountW; s++) begin : gen_step
    localparam int BIT  = CountW - 1 - s;
    localparam int STEP = 1 << BIT;

    logic empty;  // the upper STEP bits

    assign empty        = ~|level[s][W-1 -: STEP];
    assign zeros_o[BIT] = empty;
    assign level[s+1]   = empty ? level[s] << STEP : level[s];
  end

  assign y_o = level[CountW];

endmodule

`default_nettype wire
