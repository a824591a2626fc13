// Right shift with jam: bits shifted out stay as a 1 in the lowest bit, so that a later rounding sees "more than".
//
//   y = x >> distance, with y[0] |= (any 1 shifted out);  overflow: x >> distance has a 1 above OutW bits
//
// Long steps come first: with OutW < InW the stages get narrower, and bits that no later step can bring back into
// OutW bits only raise the overflow.
// Latency: combinational, DistanceW multiplexers deep. Throughput: one number. Overflow: flagged, y is then not valid.
// Python twin: none (part of align and epilogue).

`default_nettype none

module fpsim_shift_jam #(
  parameter int InW       = 8,  // bits of x
  parameter int OutW      = 8,  // bits of y, up to InW
  parameter int DistanceW = 3   // bits of the distance
) (
  input  logic [InW-1:0]       x_i,
  input  logic [DistanceW-1:0] distance_i,
  output logic [OutW-1:0]      y_o,
  output logic                 overflow_o
);

  logic [InW-1:0]       level [0:DistanceW];
  logic [DistanceW-1:0] overflow;

  assign level[0] = x_i;

  for (genvar s = 0; s < DistanceW; s++) begin : gen_step
    localparam int BIT    = DistanceW - 1 - s;
    localparam int STEP   = 1 << BIT;
    localparam int KEPT_W = OutW + STEP - 1;  // what the steps after this one can still bring into y

    logic [InW-1:0] shifted;

    if (STEP < InW - 1) begin : gen_part
      assign shifted = distance_i[BIT] ? {{STEP{1'b0}}, level[s][InW-1:STEP+1], |level[s][STEP:0]} : level[s];
    end else begin : gen_all
      assign shifted = distance_i[BIT] ? {{(InW-1){1'b0}}, |level[s]} : level[s];
    end

    if (KEPT_W < InW) begin : gen_narrow
      assign level[s+1]  = {{(InW-KEPT_W){1'b0}}, shifted[KEPT_W-1:0]};
      assign overflow[s] = |shifted[InW-1:KEPT_W];
    end else begin : gen_same
      assign level[s+1]  = shifted;
      assign overflow[s] = 1'b0;
    end
  end

  assign y_o        = level[DistanceW][OutW-1:0];
  assign overflow_o = |overflow;

endmodule

`default_nettype wire
