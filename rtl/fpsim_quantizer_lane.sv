// One lane of fpsim_quantizer: an integer becomes the code of the nearest level.
//
//   |h| ─► odd*|h| (x1, x3 or x7) ─► index = number of thresholds reached ─► code
//
// Latency: combinational. Throughput: one integer. Overflow: magnitudes above the amplitude give the largest level.
// Python twin: fpsim/arith/quantizer.py.

`default_nettype none

module fpsim_quantizer_lane #(
  parameter int W       = 21,  // bits of an integer
  parameter int ScaledW = 23   // bits of odd*|h|
) (
  input  logic signed [W-1:0]                           h_i,
  input  logic                                          times_3_i,     // odd = 3
  input  logic                                          times_7_i,     // odd = 7; neither: 1
  input  logic                                          complement_i,  // two's complement code, not sign-magnitude
  input  logic [(fpsim_pkg::LEVEL_COUNT-1)*ScaledW-1:0] thresholds_i,
  output logic [fpsim_pkg::CODE_W-1:0]                  code_o
);

  localparam int STEPS   = fpsim_pkg::LEVEL_COUNT - 1;
  localparam int INDEX_W = fpsim_pkg::CODE_W - 1;

  // ---------------------------------
  // Scaled magnitude: |h|, |h| + 2|h| or 8|h| - |h|
  // ---------------------------------
  logic               negative;
  logic [W-1:0]       absolute;  // up to 2^(W-1), unsigned
  logic [ScaledW-1:0] magnitude, extra, scaled;

  assign negative  = h_i[W-1];
  assign absolute  = (h_i ^ {W{negative}}) + W'(negative);
  assign magnitude = ScaledW'(absolute);
  assign extra     = (magnitude << 1) & {ScaledW{times_3_i}} | (magnitude << 3) & {ScaledW{times_7_i}};
  assign scaled    = extra + (magnitude ^ {ScaledW{times_7_i}}) + ScaledW'(times_7_i);

  // ---------------------------------
  // Index: thresholds ascend, so those reached are a run of ones from the bottom
  // ---------------------------------
  logic [STEPS-1:0]   reached;
  logic [INDEX_W-1:0] index;

  for (genvar i = 0; i < STEPS; i++) begin : gen_step
    assign reached[i] = scaled >= thresholds_i[i*ScaledW +: ScaledW];
  end

  assign index = {reached[3],
                  reached[1] & ~reached[3] | reached[5],
                  reached[0] & ~reached[1] | reached[2] & ~reached[3] | reached[4] & ~reached[5] | reached[6]};

  // ---------------------------------
  // Code
  // ---------------------------------
  logic [fpsim_pkg::CODE_W-1:0] complement;

  assign complement = ({1'b0, index} ^ {fpsim_pkg::CODE_W{negative}}) + fpsim_pkg::CODE_W'(negative);
  assign code_o     = complement_i ? complement : {negative, index};

endmodule

`default_nettype wire
