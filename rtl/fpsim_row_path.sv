// One FP16 row after the other from the stream x to codes, each in three phases of its B = ceil(K / N) beats:
//
//   load        x ─► lanes beyond K to 0 ─► row memory; largest exponent, Inf and NaN, place of tlast
//   rotate      row memory ─► align ─► hadamard ─► rotated memory; largest magnitude
//   quantize    rotated memory ─► row_quantizer ─► codes;  amplitude and scale of the row from its largest magnitude
//
// A row is taken only where run_i is 1. An Inf or a NaN (error_o: 11), or a tlast that is not exactly on a row's last
// beat (10), is told in the cycle that takes the beat; the row path must then be reset.
//
// Latency: (2 + T) B + log2 N + 3 cycles from a row's first beat to row_done_o if x never waits, T = 1 (INT6, INT8: 11).
// Throughput: one row in as many. Overflow: that of its units. Python twin: fpsim/array/reference.py (trace_row).

`default_nettype none

module fpsim_row_path #(
  parameter int N         = fpsim_pkg::HADAMARD_N,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int KMax      = 4608
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic                             run_i,
  input  logic [15:0]                      k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] fmt_i,
  input  logic                             rotate_i,
  input  logic                             static_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0] exp_i,   // the static scale's registers
  input  logic [31:0]                      amp_i,
  output logic [$clog2(KMax/N)-1:0]        sign_at_o,
  input  logic [N-1:0]                     signs_i,
  input  logic                             x_valid_i,
  output logic                             x_ready_o,
  input  logic [N*fpsim_pkg::FP16_W-1:0]   x_i,
  input  logic                             x_last_i,
  output logic                             code_write_o,
  output logic [$clog2(KMax/N)-1:0]        code_at_o,
  output logic [N*fpsim_pkg::CODE_W-1:0]   low_o,       // codes; INT6, INT8: their low nibbles
  output logic [N*fpsim_pkg::CODE_W-1:0]   high_o,      // and these the high ones
  output logic                             row_done_o,  // with the row's last codes
  output logic [fpsim_pkg::TF32_W-1:0]     row_scale_o,
  output logic [7:0]                       error_o
);

  localparam int FP16_W = fpsim_pkg::FP16_W;
  localparam int EXP_W  = fpsim_pkg::FP16_EXP_W;
  localparam int INT_W  = 12 + GuardBits;       // aligned element
  localparam int ROT_W  = INT_W + $clog2(N);    // rotated element
  localparam int LANE_W = $clog2(N);
  localparam int AT_W   = $clog2(KMax / N);     // beat of a row
  localparam logic [7:0] ERROR_X_LAST = 8'd10, ERROR_X_SPECIAL = 8'd11;

  logic            load, rotate, quantize;      // phase
  logic            reading, fetched, taken;     // a beat is read; its data are there; a beat of x is taken
  logic            is_last, phase_end;          // the row's last beat
  logic [AT_W-1:0] in_at, out_at;               // beat that enters the phase, beat that leaves it
  logic [LANE_W+AT_W-1:0] highest;              // K - 1

  assign highest = (LANE_W+AT_W)'(k_i - 16'd1);

  // ---------------------------------
  // Load: one align serves this phase and the next
  // ---------------------------------
  logic [N*FP16_W-1:0] masked, row_beat;
  logic [EXP_W-1:0]    largest_q, beat_exp, row_exp;
  logic [N*INT_W-1:0]  aligned;
  logic                special;

  assign x_ready_o = load && run_i;
  assign taken     = x_valid_i && x_ready_o;
  assign row_exp   = static_i ? exp_i : largest_q;

  fpsim_lane_mask #(.Lanes(N), .W(FP16_W)) u_mask (
    .en_i     (is_last),
    .highest_i(highest[LANE_W-1:0]),
    .x_i      (x_i),
    .x_o      (masked)
  );

  fpsim_beat_memory #(.W(N * FP16_W), .Beats(KMax / N)) u_row_memory (
    .clk_i     (clk_i),
    .write_en_i(taken),
    .write_at_i(in_at),
    .write_i   (masked),
    .read_en_i (reading && rotate),
    .read_at_i (in_at),
    .read_o    (row_beat)
  );

  fpsim_align #(.Lanes(N), .GuardBits(GuardBits)) u_align (
    .x_i      (load ? masked : row_beat),
    .exp_i    (row_exp),
    .int_o    (aligned),
    .exp_max_o(beat_exp),
    .special_o(special)
  );

  always_comb begin
    error_o = '0;
    if (taken && x_last_i != is_last) error_o = ERROR_X_LAST;
    if (taken && special) error_o = ERROR_X_SPECIAL;
  end

  // ---------------------------------
  // Rotate
  // ---------------------------------
  logic [N*ROT_W-1:0] rotated, rotated_beat;
  logic [ROT_W-1:0]   beat_amax, amax_q;
  logic               rotated_valid, unused_ready;

  fpsim_hadamard #(.N(N), .InW(INT_W)) u_hadamard (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .enable_i   (rotate_i),
    .signs_i    (signs_i),
    .in_valid_i (fetched && rotate),
    .in_ready_o (unused_ready),
    .x_i        (aligned),
    .out_valid_o(rotated_valid),
    .out_ready_i(1'b1),
    .y_o        (rotated)
  );

  fpsim_amax #(.Lanes(N), .W(ROT_W)) u_amax (.h_i(rotated), .amax_o(beat_amax));
  fpsim_beat_memory #(.W(N * ROT_W), .Beats(KMax / N)) u_rotated_memory (
    .clk_i     (clk_i),
    .write_en_i(rotated_valid),
    .write_at_i(out_at),
    .write_i   (rotated),
    .read_en_i (reading && quantize),
    .read_at_i (in_at),
    .read_o    (rotated_beat)
  );

  // ---------------------------------
  // Quantize: the amplitude is made while the first beat is read
  // ---------------------------------
  logic [ROT_W-1:0]             amp, amp_q;
  logic [fpsim_pkg::TF32_W-1:0] scale, scale_q;
  logic                         codes_valid, quantizer_ready, unused_amp;

  assign unused_amp   = ^amp_i[31:ROT_W];
  assign code_write_o = codes_valid;
  assign code_at_o    = out_at;
  assign row_scale_o  = scale_q;
  assign row_done_o   = quantize && phase_end;

  fpsim_row_scale #(.GuardBits(GuardBits), .W(ROT_W)) u_row_scale (
    .amax_i (static_i ? amp_i[ROT_W-1:0] : amax_q),
    .exp_i  (row_exp),
    .amp_o  (amp),
    .scale_o(scale)
  );

  always_ff @(posedge clk_i) begin
    if (taken && (in_at == '0 || beat_exp > largest_q)) largest_q <= beat_exp;
    if (rotated_valid && (out_at == '0 || beat_amax > amax_q)) amax_q <= beat_amax;
    if (reading && in_at == '0) begin
      amp_q   <= amp;
      scale_q <= scale;
    end
  end

  fpsim_row_quantizer #(.N(N), .W(ROT_W), .Formats(Formats), .Wide(Wide)) u_quantizer (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (fetched && quantize),
    .in_ready_o (quantizer_ready),
    .h_i        (rotated_beat),
    .amp_i      (amp_q),
    .fmt_i      (fmt_i),
    .out_valid_o(codes_valid),
    .low_o      (low_o),
    .high_o     (high_o)
  );

  fpsim_row_phases #(.AtW(AT_W)) u_phases (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .last_beat_i (highest[LANE_W +: AT_W]),
    .taken_i     (taken),
    .accept_i    (rotate || quantizer_ready),
    .leaves_i    (rotated_valid || codes_valid),
    .load_o      (load),
    .rotate_o    (rotate),
    .quantize_o  (quantize),
    .read_o      (reading),
    .in_at_o     (in_at),
    .in_last_o   (is_last),
    .fetched_o   (fetched),
    .fetched_at_o(sign_at_o),
    .out_at_o    (out_at),
    .phase_end_o (phase_end)
  );

endmodule

`default_nettype wire
