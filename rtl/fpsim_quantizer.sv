// Quantizer: a beat of integers to 4-bit codes, nearest level of the selected format under the row's amplitude A.
//
//   index = number of i in 0 .. 6 with 2*l_7*|h| > (l_i + l_(i+1))*A, or equal where the tie goes up
//   code  = {h < 0, index}, INT4 +-index in two's complement
//
//   amp ─► thresholds (once per beat) ─┐
//   h ───► lanes ──────────────────────┴─► register ─► codes
//
// amp_i and fmt_i (a built-in format) belong to the beat. -2^(W-1) is a legal h.
// Latency: 1. Throughput: one beat per cycle; stalls while the codes wait.
// Overflow: magnitudes above A give the largest level. A = 0: every index 0.
// The code register is not reset. Python twin: fpsim/arith/quantizer.py.

`default_nettype none

module fpsim_quantizer #(
  parameter int Lanes   = fpsim_pkg::HADAMARD_N,                                       // integers per beat
  parameter int W       = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of a rotated element
  parameter int Formats = fpsim_pkg::FORMATS                                           // bit f: selector f is built in
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               in_valid_i,
  output logic                               in_ready_o,
  input  logic [Lanes*W-1:0]                 h_i,
  input  logic [W-1:0]                       amp_i,
  input  logic [fpsim_pkg::FMT_W-1:0]        fmt_i,
  output logic                               out_valid_o,
  input  logic                               out_ready_i,
  output logic [Lanes*fpsim_pkg::CODE_W-1:0] codes_o
);

  localparam int CODE_W = fpsim_pkg::CODE_W;

  localparam logic HAS_E2M1 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_E2M1);
  localparam logic HAS_E1M2 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_E1M2);
  localparam logic HAS_INT4 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4);

  // Bits of odd*|h|, |h| up to 2^(W-1): 7 (E1M2, INT4) adds two, 3 (E2M1) one.
  localparam int SCALED_W = W + ((HAS_E1M2 || HAS_INT4) ? 2 : HAS_E2M1 ? 1 : 0);

  logic load;

  fpsim_pipeline_control #(
    .Stages(1)
  ) u_control (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .load_o     (load)
  );

  // ---------------------------------
  // Per beat: format, thresholds
  // ---------------------------------
  logic                                          times_3, times_7, complement;
  logic [(fpsim_pkg::LEVEL_COUNT-1)*SCALED_W-1:0] thresholds;

  assign times_3    = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_E2M1);
  assign times_7    = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_E1M2) || complement;
  assign complement = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_INT4);

  fpsim_quantizer_thresholds #(
    .W      (W),
    .ScaledW(SCALED_W),
    .Formats(Formats)
  ) u_thresholds (
    .amp_i       (amp_i),
    .fmt_i       (fmt_i),
    .thresholds_o(thresholds)
  );

  // ---------------------------------
  // Lanes
  // ---------------------------------
  logic [Lanes*CODE_W-1:0] codes_d, codes_q;

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    fpsim_quantizer_lane #(
      .W      (W),
      .ScaledW(SCALED_W)
    ) u_lane (
      .h_i         (h_i[i*W +: W]),
      .times_3_i   (times_3),
      .times_7_i   (times_7),
      .complement_i(complement),
      .thresholds_i(thresholds),
      .code_o      (codes_d[i*CODE_W +: CODE_W])
    );
  end

  always_ff @(posedge clk_i) begin
    if (load) codes_q <= codes_d;
  end

  assign codes_o = codes_q;

endmodule

`default_nettype wire
