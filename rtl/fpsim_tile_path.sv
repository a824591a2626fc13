// A tile of rows, quantized, times tile after tile of columns: codes and weights meet in the array, results leave.
//
//   codes of rows ─► nibble_banks ┐
//   w ─► weight_loader ───────────┴─► mac_array ─► tile_drain ─► y
//   └──► column_bank ───────────────────────────────┘
//
// Codes and scales of the rows come in with code_write_i and row_done_i. run_weights_i takes tile after tile of weights
// (weights_done_o), run_drain_i hands over their results (array_done_o, y_done_o) meanwhile.
// Latency and Throughput: fpsim/array/top_cycles.py. Overflow: that of the array and the epilogue.
// Python twin: fpsim/array/reference.py (trace_tile).

`default_nettype none

module fpsim_tile_path #(
  parameter int Rows      = fpsim_pkg::ROWS,
  parameter int Cols      = fpsim_pkg::COLS,
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int AccW      = fpsim_pkg::ACC_W,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Saturate  = fpsim_pkg::SATURATE,
  parameter int Overlap   = fpsim_pkg::OVERLAP,
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT,   // pipeline cuts of the array
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int KMax      = 4608,
  parameter int WBeatW    = 64  // bits of a beat of w
) (
  input  logic                                      clk_i,
  input  logic                                      rst_ni,
  input  logic [15:0]                               k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0]         a_fmt_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0]         b_fmt_i,
  input  logic                                      a_zero_i,  // zero points
  input  logic                                      b_zero_i,
  input  logic                                      run_weights_i,
  input  logic                                      run_drain_i,
  input  logic [$clog2(Rows+1)-1:0]                 rows_i,  // real ones of the tile
  input  logic [$clog2(Cols+1)-1:0]                 cols_i,  // of the one that y offers
  input  logic                                      code_write_i,
  input  logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0]  row_i,
  input  logic [$clog2(KMax/HadamardN)-1:0]         code_at_i,
  input  logic [HadamardN*fpsim_pkg::CODE_W-1:0]    low_i,
  input  logic [HadamardN*fpsim_pkg::CODE_W-1:0]    high_i,
  input  logic                                      row_done_i,
  input  logic [fpsim_pkg::TF32_W-1:0]              row_scale_i,
  input  logic [7:0]                                row_zero_i,
  input  logic [20:0]                               row_sum_i,  // one cycle after row_done_i
  input  logic                                      w_valid_i,
  output logic                                      w_ready_o,
  input  logic [WBeatW-1:0]                         w_data_i,
  input  logic                                      w_last_i,
  output logic                                      y_valid_o,
  input  logic                                      y_ready_i,
  output logic [Cols*fpsim_pkg::FP16_W-1:0]         y_data_o,
  output logic [2*Cols-1:0]                         y_keep_o,
  output logic                                      y_last_o,
  output logic                                      weights_done_o,
  output logic                                      array_done_o,
  output logic                                      y_done_o,
  output logic [7:0]                                error_o
);

  logic                              read_en, read_low, beat_valid, beat_ready, beat_first, beat_shift, beat_last;
  logic                              a_wide, b_wide, a_low, b_low, acc_valid, acc_ready, acc_last;
  logic                              scale_en, zero_en, released, room;
  logic [(Cols > 1 ? $clog2(Cols) : 1)-1:0] head_col;
  logic [15:0]                       read_k;
  logic [Rows*fpsim_pkg::CODE_W-1:0] a_codes;
  logic [Cols*fpsim_pkg::TF32_W-1:0] col_scale;
  logic [Cols*fpsim_pkg::FP16_W-1:0] bias;
  logic [Cols*16-1:0]                weight_zero;
  logic [Cols*21-1:0]                col_sum;
  logic [Cols*AccW-1:0]              acc;

  assign a_wide = a_fmt_i > fpsim_row_pkg::QUANT_INT4;
  assign b_wide = b_fmt_i > fpsim_row_pkg::QUANT_INT4;

  fpsim_nibble_banks #(.Rows(Rows), .N(HadamardN), .Wide(Wide), .KMax(KMax)) u_banks (
    .clk_i      (clk_i),
    .wide_i     (a_wide),
    .write_en_i (code_write_i),
    .write_row_i(row_i),
    .write_at_i (code_at_i),
    .low_i      (low_i),
    .high_i     (high_i),
    .read_en_i  (read_en),
    .read_low_i (read_low),
    .read_k_i   (read_k),
    .rows_i     (rows_i),
    .codes_o    (a_codes)
  );

  fpsim_weight_loader #(.Cols(Cols)) u_weight_loader (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .run_i       (run_weights_i && room),
    .k_i         (k_i),
    .a_wide_i    (a_wide),
    .b_wide_i    (b_wide),
    .zeros_i     (a_zero_i || b_zero_i),
    .w_valid_i   (w_valid_i),
    .w_ready_o   (w_ready_o),
    .w_last_i    (w_last_i),
    .scale_en_o  (scale_en),
    .zero_en_o   (zero_en),
    .col_o       (head_col),
    .read_en_o   (read_en),
    .read_k_o    (read_k),
    .read_low_o  (read_low),
    .beat_valid_o(beat_valid),
    .beat_ready_i(beat_ready),
    .beat_first_o(beat_first),
    .beat_shift_o(beat_shift),
    .beat_last_o (beat_last),
    .a_low_o     (a_low),
    .b_low_o     (b_low),
    .tile_done_o (weights_done_o),
    .error_o     (error_o)
  );

  fpsim_column_bank #(.Cols(Cols), .Zeros(Zeros), .W(WBeatW)) u_columns (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .scale_en_i   (scale_en),
    .zero_en_i    (zero_en),
    .col_i        (head_col),
    .w_i          (w_data_i),
    .loaded_i     (weights_done_o),
    .corrected_i  (array_done_o),
    .released_i   (released),
    .room_o       (room),
    .col_scale_o  (col_scale),
    .bias_o       (bias),
    .weight_zero_o(weight_zero),
    .col_sum_o    (col_sum)
  );

  fpsim_mac_array #(
    .Rows(Rows), .Cols(Cols), .Formats(Formats), .AccW(AccW), .Saturate(Saturate), .Overlap(Overlap),
    .ProductCut(ProductCut)
  ) u_array (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .a_fmt_i    (a_wide ? fpsim_pkg::FMT_INT4 : a_fmt_i[fpsim_pkg::FMT_W-1:0]),
    .b_fmt_i    (b_wide ? fpsim_pkg::FMT_INT4 : b_fmt_i[fpsim_pkg::FMT_W-1:0]),
    .in_valid_i (beat_valid),
    .in_ready_o (beat_ready),
    .in_first_i (beat_first),
    .in_shift_i (beat_shift),
    .in_last_i  (beat_last),
    .in_a_low_i (a_low),
    .in_b_low_i (b_low),
    .a_codes_i  (a_codes),
    .b_codes_i  (w_data_i[Cols*fpsim_pkg::CODE_W-1:0]),
    .out_valid_o(acc_valid),
    .out_ready_i(acc_ready),
    .out_last_o (acc_last),
    .out_acc_o  (acc)
  );

  fpsim_tile_drain #(.Rows(Rows), .Cols(Cols), .AccW(AccW), .Zeros(Zeros)) u_drain (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .run_i      (run_drain_i),
    .scale_en_i (row_done_i),
    .scale_row_i(row_i),
    .scale_i    (row_scale_i),
    .zero_i     (row_zero_i),
    .sum_i      (row_sum_i),
    .k_i        (k_i),
    .a_zero_i   (a_zero_i),
    .b_zero_i   (b_zero_i),
    .rows_i     (rows_i),
    .cols_i     (cols_i),
    .col_scale_i(col_scale),
    .bias_i     (bias),
    .weight_zero_i(weight_zero),
    .col_sum_i  (col_sum),
    .acc_valid_i(acc_valid),
    .acc_ready_o(acc_ready),
    .acc_last_i (acc_last),
    .acc_i      (acc),
    .y_valid_o  (y_valid_o),
    .y_ready_i  (y_ready_i),
    .y_o        (y_data_o),
    .y_keep_o   (y_keep_o),
    .y_last_o   (y_last_o),
    .array_done_o(array_done_o),
    .released_o (released),
    .y_done_o   (y_done_o)
  );

endmodule

`default_nettype wire
