// The datapath of the accelerator and its order, between the registers and the three streams.
//
//   x ─► row_path ─► codes ─┐          rows to codes, one row after the other
//   w ──────────────────────┴─► tile_path ─► y
//
// Configuration (m_i to zero_i, the signs) keeps still from start_i to the last result. Streams and errors: rtl/README.md,
// "top". rst_ni also is the soft reset.
// Latency and Throughput: fpsim/array/top_cycles.py. Overflow: that of the units. Python twin: fpsim/array/reference.py.

`default_nettype none

module fpsim_core #(
  parameter int Rows      = fpsim_pkg::ROWS,
  parameter int Cols      = fpsim_pkg::COLS,
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int AccW      = fpsim_pkg::ACC_W,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Saturate  = fpsim_pkg::SATURATE,
  parameter int Overlap   = fpsim_pkg::OVERLAP,
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT,   // pipeline cuts of the array
  parameter int HadamardCut = fpsim_pkg::HADAMARD_CUT, // and of the Hadamard engine
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int Outer     = 1,  // 1: rotations across beats too
  parameter int KMax      = 4608,
  parameter int WBeatW    = 64  // bits of a beat of w
) (
  input  logic                                   clk_i,
  input  logic                                   rst_ni,
  input  logic                                   start_i,
  output logic                                   busy_o,
  output logic                                   stopped_o,
  output logic                                   finished_o,
  output logic [7:0]                             error_o,
  input  logic [15:0]                            m_i,
  input  logic [15:0]                            n_i,
  input  logic [15:0]                            k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0]      a_fmt_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0]      b_fmt_i,
  input  logic [12:0]                            recipe_i,  // of fpsim_top_config
  input  logic [fpsim_pkg::FP16_EXP_W-1:0]       exp_i,
  input  logic [31:0]                            amp_i,
  input  logic [7:0]                             zero_i,
  input  logic                                   sign_write_i,
  input  logic [8:0]                             sign_write_at_i,
  input  logic [31:0]                            sign_write_data_i,
  input  logic                                   x_valid_i,
  output logic                                   x_ready_o,
  input  logic [HadamardN*fpsim_pkg::FP16_W-1:0] x_data_i,
  input  logic                                   x_last_i,
  input  logic                                   w_valid_i,
  output logic                                   w_ready_o,
  input  logic [WBeatW-1:0]                      w_data_i,
  input  logic                                   w_last_i,
  output logic                                   y_valid_o,
  input  logic                                   y_ready_i,
  output logic [Cols*fpsim_pkg::FP16_W-1:0]      y_data_o,
  output logic [2*Cols-1:0]                      y_keep_o,
  output logic                                   y_last_o
);

  localparam int ROW_W  = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ROWS_W = $clog2(Rows + 1);
  localparam int COLS_W = $clog2(Cols + 1);
  localparam int AT_W   = $clog2(KMax / HadamardN);

  logic [7:0] x_error, w_error;
  logic       x_ready, w_ready;

  assign error_o   = x_error | w_error;  // never both: one stream is taken at a time
  assign x_ready_o = x_ready || stopped_o;  // what comes after an error is taken and dropped
  assign w_ready_o = w_ready || stopped_o;

  // ---------------------------------
  // Order
  // ---------------------------------
  logic              run_rows, run_weights, run_drain, row_done, weights_done, array_done, y_done;
  logic [ROW_W-1:0]  row;
  logic [ROWS_W-1:0] tile_rows;
  logic [COLS_W-1:0] tile_cols;

  fpsim_top_control #(.Rows(Rows), .Cols(Cols)) u_control (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .start_i       (start_i),
    .m_i           (m_i),
    .n_i           (n_i),
    .row_done_i    (row_done),
    .weights_done_i(weights_done),
    .array_done_i  (array_done),
    .y_done_i      (y_done),
    .error_i       (error_o),
    .run_rows_o    (run_rows),
    .run_weights_o (run_weights),
    .run_drain_o   (run_drain),
    .row_o         (row),
    .tile_rows_o   (tile_rows),
    .tile_cols_o   (tile_cols),
    .busy_o        (busy_o),
    .stopped_o     (stopped_o),
    .finished_o    (finished_o)
  );

  // ---------------------------------
  // Rows to codes
  // ---------------------------------
  logic [AT_W-1:0]                        sign_at, code_at;
  logic [HadamardN-1:0]                   signs;
  logic                                   code_write;
  logic [HadamardN*fpsim_pkg::CODE_W-1:0] row_low, row_high;
  logic [fpsim_pkg::TF32_W-1:0]           row_scale;
  logic [7:0]                             row_zero;
  logic [20:0]                            row_sum;

  fpsim_sign_memory #(.N(HadamardN), .KMax(KMax)) u_signs (
    .clk_i     (clk_i),
    .write_en_i(sign_write_i),
    .write_at_i(sign_write_at_i),
    .write_i   (sign_write_data_i),
    .read_at_i (sign_at),
    .read_o    (signs)
  );

  fpsim_row_path #(
    .N(HadamardN), .GuardBits(GuardBits), .Formats(Formats), .Wide(Wide), .Zeros(Zeros), .Outer(Outer),
    .Cut(HadamardCut), .KMax(KMax)
  ) u_row_path (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .run_i       (run_rows),
    .k_i         (k_i),
    .fmt_i       (a_fmt_i),
    .recipe_i    ({recipe_i[12:4], recipe_i[2:0]}),
    .exp_i       (exp_i),
    .amp_i       (amp_i),
    .zero_i      (zero_i),
    .sign_at_o   (sign_at),
    .signs_i     (signs),
    .x_valid_i   (x_valid_i),
    .x_ready_o   (x_ready),
    .x_i         (x_data_i),
    .x_last_i    (x_last_i),
    .code_write_o(code_write),
    .code_at_o   (code_at),
    .low_o       (row_low),
    .high_o      (row_high),
    .row_done_o  (row_done),
    .row_scale_o (row_scale),
    .row_zero_o  (row_zero),
    .row_sum_o   (row_sum),
    .error_o     (x_error)
  );

  // ---------------------------------
  // Codes times weights to results
  // ---------------------------------
  fpsim_tile_path #(
    .Rows(Rows), .Cols(Cols), .Formats(Formats), .AccW(AccW), .HadamardN(HadamardN), .Saturate(Saturate),
    .Overlap(Overlap), .ProductCut(ProductCut), .Wide(Wide), .Zeros(Zeros), .KMax(KMax), .WBeatW(WBeatW)
  ) u_tile_path (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .k_i           (k_i),
    .a_fmt_i       (a_fmt_i),
    .b_fmt_i       (b_fmt_i),
    .a_zero_i      (recipe_i[2]),
    .b_zero_i      (recipe_i[3]),
    .run_weights_i (run_weights),
    .run_drain_i   (run_drain),
    .rows_i        (tile_rows),
    .cols_i        (tile_cols),
    .code_write_i  (code_write),
    .row_i         (row),
    .code_at_i     (code_at),
    .low_i         (row_low),
    .high_i        (row_high),
    .row_done_i    (row_done),
    .row_scale_i   (row_scale),
    .row_zero_i    (row_zero),
    .row_sum_i     (row_sum),
    .w_valid_i     (w_valid_i),
    .w_ready_o     (w_ready),
    .w_data_i      (w_data_i),
    .w_last_i      (w_last_i),
    .y_valid_o     (y_valid_o),
    .y_ready_i     (y_ready_i),
    .y_data_o      (y_data_o),
    .y_keep_o      (y_keep_o),
    .y_last_o      (y_last_o),
    .weights_done_o(weights_done),
    .array_done_o  (array_done),
    .y_done_o      (y_done),
    .error_o       (w_error)
  );

endmodule

`default_nettype wire
