// The last beat of a row that is no multiple of Lanes: lanes above highest_i become 0.
//
// Latency: combinational. Throughput: one beat. Overflow: none. Python twin: none (fpsim/array/top.py pads with noise).

`default_nettype none

module fpsim_lane_mask #(
  parameter int Lanes = fpsim_pkg::HADAMARD_N,  // 2 or more
  parameter int W     = fpsim_pkg::FP16_W       // bits of a lane
) (
  input  logic                     en_i,
  input  logic [$clog2(Lanes)-1:0] highest_i,
  input  logic [Lanes*W-1:0]       x_i,
  output logic [Lanes*W-1:0]       x_o
);

  localparam int LANE_W = $clog2(Lanes);

  assign x_o[W-1:0] = x_i[W-1:0];  // lane 0 always counts

  for (genvar i = 1; i < Lanes; i++) begin : gen_lane
    assign x_o[i*W +: W] = (!en_i || LANE_W'(i) <= highest_i) ? x_i[i*W +: W] : '0;
  end

endmodule

`default_nettype wire
