// One FP16 row after the other from the stream x to codes, each in three phases of its B = ceil(K / N) beats:
//
//   load        x ─► row_align: memory, largest exponent
//   rotate      row_align ─► integers ─► row_rotation ─► rotated memory; largest magnitude, range
//   outer       rotated memory ─► row_rotation ─► rotated memory, likewise; once or twice, if at all
//   quantize    row_amplitude ─► amplitude, scale, zero point;  rotated memory ─► row_quantizer ─► codes, their sum
//
// A row is taken only where run_i is 1. After an error (row_align) the row path must be reset.
// Latency: (2 + T) B + L + 3 cycles from a row's first beat to row_done_o if x never waits, L = log2 N / Cut, rounded up,
// T = 1 (by division 11); 9 more with a zero point found from the row.
// Throughput: one row in as many. Overflow: that of its units. Python twin: fpsim/array/reference.py (trace_row).

`default_nettype none

module fpsim_row_path #(
  parameter int N         = fpsim_pkg::HADAMARD_N,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int Outer     = 1,  // 1: rotations across beats too
  parameter int Cut       = fpsim_pkg::HADAMARD_CUT,  // of the Hadamard engine
  parameter int KMax      = 4608
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic                             run_i,
  input  logic [15:0]                      k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] fmt_i,
  input  logic [11:0]                      recipe_i,  // {base, points of the outer rotation, zero points, static, rotate}
  input  logic [fpsim_pkg::FP16_EXP_W-1:0] exp_i,   // the static scale's registers
  input  logic [31:0]                      amp_i,
  input  logic [7:0]                       zero_i,
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
  output logic [7:0]                       row_zero_o,
  output logic [20:0]                      row_sum_o,   // one cycle after row_done_o
  output logic [7:0]                       error_o
);

  localparam int EXP_W  = fpsim_pkg::FP16_EXP_W;
  localparam int INT_W  = 12 + GuardBits;       // aligned element
  localparam int ROT_W  = INT_W + $clog2(Outer != 0 ? KMax : N);  // rotated element
  localparam int LANE_W = $clog2(N);
  localparam int AT_W   = $clog2(KMax / N);     // beat of a row

  logic            load, rotate, outer, second, quantize;  // phase
  logic            reading, fetched, taken;     // a beat is read; its data are there; a beat of x is taken
  logic            is_last, phase_end;          // the row's last beat
  logic [AT_W-1:0] in_at, out_at;               // beat that enters the phase, beat that leaves it
  logic [LANE_W+AT_W-1:0] highest;              // K - 1

  assign highest = (LANE_W+AT_W)'(k_i - 16'd1);

  // ---------------------------------
  // Load
  // ---------------------------------
  logic [EXP_W-1:0]   row_exp;
  logic [N*INT_W-1:0] aligned;

  assign x_ready_o = load && run_i;

  fpsim_row_align #(.N(N), .GuardBits(GuardBits), .KMax(KMax)) u_align (
    .clk_i    (clk_i),
    .load_i   (x_ready_o),
    .read_i   (reading && rotate),
    .at_i     (in_at),
    .last_i   (is_last),
    .highest_i(highest[LANE_W-1:0]),
    .static_i (recipe_i[1]),
    .exp_i    (exp_i),
    .x_valid_i(x_valid_i),
    .x_i      (x_i),
    .x_last_i (x_last_i),
    .taken_o  (taken),
    .int_o    (aligned),
    .exp_o    (row_exp),
    .error_o  (error_o)
  );

  // ---------------------------------
  // Rotate
  // ---------------------------------
  logic [N*ROT_W-1:0] rotated, rotated_beat;
  logic               rotated_valid, outer_ready;

  fpsim_row_rotation #(.N(N), .InW(INT_W), .W(ROT_W), .Outer(Outer), .Cut(Cut), .MaxBeats(KMax / N)) u_rotation (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .enable_i    (recipe_i[0]),
    .signs_i     (signs_i),
    .x_valid_i   (fetched && rotate),
    .x_i         (aligned),
    .second_i    (second),
    .points_i    (recipe_i[9:3]),
    .base_i      (recipe_i[11:10]),
    .beat_valid_i(fetched && outer),
    .beat_ready_o(outer_ready),
    .beat_i      (rotated_beat),
    .y_valid_o   (rotated_valid),
    .y_o         (rotated)
  );

  fpsim_beat_memory #(.W(N * ROT_W), .Beats(KMax / N)) u_rotated_memory (
    .clk_i     (clk_i),
    .write_en_i(rotated_valid),
    .write_at_i(out_at),
    .write_i   (rotated),
    .read_en_i (reading && !rotate),
    .read_at_i (in_at),
    .read_o    (rotated_beat)
  );

  // ---------------------------------
  // Quantize: the amplitude is made while the first beat is read
  // ---------------------------------
  logic           codes_valid, quantizer_ready, amplitude_ready, unused_amp;
  logic [ROT_W:0] amp;

  assign unused_amp   = ^amp_i;
  assign code_write_o = codes_valid;
  assign code_at_o    = out_at;
  assign row_done_o   = quantize && phase_end;

  fpsim_row_amplitude #(.N(N), .GuardBits(GuardBits), .W(ROT_W), .Zeros(Zeros)) u_amplitude (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .beat_i       (rotated_valid),
    .first_i      (out_at == '0),
    .h_i          (rotated),
    .find_i       (quantize && reading && in_at == '0),
    .done_i       (row_done_o),
    .static_i     (recipe_i[1]),
    .asymmetric_i (recipe_i[2]),
    .fmt_i        (fmt_i),
    .exp_i        (row_exp),
    .static_amp_i ((ROT_W+1)'(amp_i)),
    .static_zero_i(zero_i),
    .ready_o      (amplitude_ready),
    .amp_o        (amp),
    .scale_o      (row_scale_o),
    .zero_o       (row_zero_o)
  );

  fpsim_row_quantizer #(.N(N), .W(ROT_W), .Formats(Formats), .Wide(Wide), .Zeros(Zeros)) u_quantizer (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (fetched && quantize && amplitude_ready),
    .in_ready_o  (quantizer_ready),
    .h_i         (rotated_beat),
    .amp_i       (amp),
    .fmt_i       (fmt_i),
    .asymmetric_i(recipe_i[2]),
    .zero_i      (row_zero_o),
    .out_first_i (out_at == '0),
    .out_last_i  (phase_end),
    .highest_i   (highest[LANE_W-1:0]),
    .out_valid_o (codes_valid),
    .low_o       (low_o),
    .high_o      (high_o),
    .sum_o       (row_sum_o)
  );

  fpsim_row_phases #(.AtW(AT_W)) u_phases (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .last_beat_i (highest[LANE_W +: AT_W]),
    .first_i     (recipe_i[0] && recipe_i[9:3] > 7'd1),
    .second_i    (recipe_i[0] && recipe_i[11:10] != 2'd0),
    .taken_i     (taken),
    .accept_i    (rotate || (outer ? outer_ready : quantizer_ready && amplitude_ready)),
    .leaves_i    (rotated_valid || codes_valid),
    .load_o      (load),
    .rotate_o    (rotate),
    .outer_o     (outer),
    .second_o    (second),
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
