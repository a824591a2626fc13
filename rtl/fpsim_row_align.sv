// A row of FP16 into its memory, and out of it as integers under one exponent.
//
//   load      x ─► lanes beyond K to 0 ─► row memory; largest exponent, Inf and NaN, place of tlast
//   rotate    row memory ─► align ─► integers, one cycle after read_i
//
// One align serves both phases. taken_o: a beat of x is taken, and goes to place at_i.
// An Inf or a NaN (error_o: 11), or a tlast that is not exactly on a row's last beat (10), is told in that cycle.
// Latency: 1. Throughput: one beat per cycle. Overflow: a static exponent saturates. Nothing is reset.
// Python twin: fpsim/arith/align.py.

`default_nettype none

module fpsim_row_align #(
  parameter int N         = fpsim_pkg::HADAMARD_N,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int KMax      = 4608
) (
  input  logic                            clk_i,
  input  logic                            load_i,
  input  logic                            read_i,
  input  logic [$clog2(KMax/N)-1:0]       at_i,
  input  logic                            last_i,     // at_i is the row's last beat
  input  logic [$clog2(N)-1:0]            highest_i,  // its last lane
  input  logic                            static_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0] exp_i,     // the static exponent
  input  logic                            x_valid_i,
  input  logic [N*fpsim_pkg::FP16_W-1:0]  x_i,
  input  logic                            x_last_i,
  output logic                            taken_o,
  output logic [N*(12+GuardBits)-1:0]     int_o,
  output logic [fpsim_pkg::FP16_EXP_W-1:0] exp_o,     // of the row, once it is loaded
  output logic [7:0]                      error_o
);

  localparam int FP16_W = fpsim_pkg::FP16_W;
  localparam int EXP_W  = fpsim_pkg::FP16_EXP_W;
  localparam logic [7:0] ERROR_X_LAST = 8'd10, ERROR_X_SPECIAL = 8'd11;

  logic [N*FP16_W-1:0] masked, row_beat;
  logic [EXP_W-1:0]    largest_q, beat_exp;
  logic                taken, special;

  assign taken   = x_valid_i && load_i;
  assign taken_o = taken;
  assign exp_o   = static_i ? exp_i : largest_q;

  fpsim_lane_mask #(.Lanes(N), .W(FP16_W)) u_mask (
    .en_i     (last_i),
    .highest_i(highest_i),
    .x_i      (x_i),
    .x_o      (masked)
  );

  fpsim_beat_memory #(.W(N * FP16_W), .Beats(KMax / N)) u_memory (
    .clk_i     (clk_i),
    .write_en_i(taken),
    .write_at_i(at_i),
    .write_i   (masked),
    .read_en_i (read_i),
    .read_at_i (at_i),
    .read_o    (row_beat)
  );

  fpsim_align #(.Lanes(N), .GuardBits(GuardBits)) u_align (
    .x_i      (load_i ? masked : row_beat),
    .exp_i    (exp_o),
    .int_o    (int_o),
    .exp_max_o(beat_exp),
    .special_o(special)
  );

  always_ff @(posedge clk_i) begin
    if (taken && (at_i == '0 || beat_exp > largest_q)) largest_q <= beat_exp;
  end

  always_comb begin
    error_o = '0;
    if (taken && x_last_i != last_i) error_o = ERROR_X_LAST;
    if (taken && special) error_o = ERROR_X_SPECIAL;
  end

endmodule

`default_nettype wire
