// A finished tile on its way out: rows of accumulators through the epilogue to the stream y.
//
//   array ─► rows below rows_i ─► zero_correction ─► epilogue, with the row's scale ─► columns below cols_i ─► y
//              the others drop                                                         the others 0, tkeep 0
//
// Row scales and zero points come in while rows are quantized, sums of codes one cycle later, and stay for all tiles of
// these rows. tlast is on the tile's last row.
// Tiles may follow one another at once; col_scale_i and bias_i are those of the tile until released_o, weight_zero_i and
// col_sum_i until array_done_o, cols_i until y_done_o.
// Latency: 4; with Zeros 7. Throughput: one row per cycle. Overflow: saturates as the epilogue does.
// Python twin: fpsim/array/top.py (result_beats).

`default_nettype none

module fpsim_tile_drain #(
  parameter int Rows = fpsim_pkg::ROWS,
  parameter int Cols = fpsim_pkg::COLS,
  parameter int AccW = fpsim_pkg::ACC_W,
  parameter int Zeros = 1  // 1: zero points too; AccW is then at most 38
) (
  input  logic                                      clk_i,
  input  logic                                      rst_ni,
  input  logic                                      run_i,   // 0: nothing is taken from the array
  input  logic                                      scale_en_i,
  input  logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0]  scale_row_i,
  input  logic [fpsim_pkg::TF32_W-1:0]              scale_i,
  input  logic [7:0]                                zero_i,
  input  logic [20:0]                               sum_i,     // one cycle after scale_en_i
  input  logic [15:0]                               k_i,
  input  logic                                      a_zero_i,  // whether rows, weights have zero points
  input  logic                                      b_zero_i,
  input  logic [$clog2(Rows+1)-1:0]                 rows_i,  // real ones, at least 1
  input  logic [$clog2(Cols+1)-1:0]                 cols_i,
  input  logic [Cols*fpsim_pkg::TF32_W-1:0]         col_scale_i,
  input  logic [Cols*fpsim_pkg::FP16_W-1:0]         bias_i,
  input  logic [Cols*16-1:0]                        weight_zero_i,
  input  logic [Cols*21-1:0]                        col_sum_i,
  input  logic                                      acc_valid_i,
  output logic                                      acc_ready_o,
  input  logic                                      acc_last_i,
  input  logic [Cols*AccW-1:0]                      acc_i,
  output logic                                      y_valid_o,
  input  logic                                      y_ready_i,
  output logic [Cols*fpsim_pkg::FP16_W-1:0]         y_o,
  output logic [2*Cols-1:0]                         y_keep_o,
  output logic                                      y_last_o,
  output logic                                      array_done_o,  // the tile's last row has left the array
  output logic                                      released_o,    // its last real one has entered the epilogue
  output logic                                      y_done_o       // and has been taken
);

  localparam int FP16_W = fpsim_pkg::FP16_W;
  localparam int TF32_W = fpsim_pkg::TF32_W;
  localparam int ROW_W  = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ROWS_W = $clog2(Rows + 1);
  localparam int COLS_W = $clog2(Cols + 1);
  localparam int SUM_W  = Zeros != 0 ? 40 : AccW;  // what the epilogue takes

  logic [TF32_W-1:0] scales_q [0:Rows-1];
  logic [ROWS_W-1:0] row_q, out_row_q;  // the next row of the array, of y
  logic              real_row, row_valid, row_ready, epilogue_last;

  always_ff @(posedge clk_i) begin
    if (scale_en_i) scales_q[scale_row_i] <= scale_i;
  end

  assign real_row    = row_q < rows_i;
  assign row_valid   = run_i && acc_valid_i && real_row;
  assign acc_ready_o = run_i && (!real_row || row_ready);

  // ---------------------------------
  // Zero points
  // ---------------------------------
  logic                  epilogue_valid, epilogue_ready;
  logic [ROW_W-1:0]      scale_row;  // the row that the epilogue is offered
  logic [Cols*SUM_W-1:0] sums;

  if (Zeros != 0) begin : gen_zeros
    logic [7:0]        zeros_q [0:Rows-1];
    logic [20:0]       sums_q [0:Rows-1];
    logic [ROW_W-1:0]  sum_row_q;
    logic              sum_en_q;
    logic [ROWS_W-1:0] mid_row_q;
    logic              unused_k;

    always_ff @(posedge clk_i) begin
      sum_row_q <= scale_row_i;
      if (scale_en_i) zeros_q[scale_row_i] <= zero_i;
      if (sum_en_q) sums_q[sum_row_q] <= sum_i;
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        sum_en_q  <= 1'b0;
        mid_row_q <= '0;
      end else begin
        sum_en_q <= scale_en_i;
        if (epilogue_valid && epilogue_ready) mid_row_q <= epilogue_last ? '0 : mid_row_q + 1'b1;
      end
    end

    assign unused_k  = ^k_i[15:13];
    assign scale_row = mid_row_q[ROW_W-1:0];
    assign epilogue_last = mid_row_q == rows_i - 1'b1;

    fpsim_zero_correction #(.Lanes(Cols), .AccW(AccW)) u_correction (
      .clk_i        (clk_i),
      .rst_ni       (rst_ni),
      .in_valid_i   (row_valid),
      .in_ready_o   (row_ready),
      .acc_i        (acc_i),
      .row_sum_i    (sums_q[row_q[ROW_W-1:0]]),
      .act_zero_i   (zeros_q[row_q[ROW_W-1:0]]),
      .depth_i      (k_i[12:0]),
      .col_sum_i    (a_zero_i ? col_sum_i : '0),
      .weight_zero_i(b_zero_i ? weight_zero_i : '0),
      .out_valid_o  (epilogue_valid),
      .out_ready_i  (epilogue_ready),
      .sum_o        (sums)
    );
  end else begin : gen_no_zeros
    logic unused_zeros;
    assign unused_zeros   = ^{zero_i, sum_i, k_i, a_zero_i, b_zero_i, weight_zero_i, col_sum_i};
    assign scale_row      = row_q[ROW_W-1:0];
    assign epilogue_last  = row_q == rows_i - 1'b1;
    assign epilogue_valid = row_valid;
    assign row_ready      = epilogue_ready;
    assign sums           = acc_i;
  end

  // ---------------------------------
  // Epilogue, stream y
  // ---------------------------------
  logic [Cols*FP16_W-1:0] y;

  fpsim_epilogue #(.Lanes(Cols), .AccW(SUM_W)) u_epilogue (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (epilogue_valid),
    .in_ready_o (epilogue_ready),
    .acc_i      (sums),
    .row_scale_i(scales_q[scale_row]),
    .col_scale_i(col_scale_i),
    .bias_i     (bias_i),
    .out_valid_o(y_valid_o),
    .out_ready_i(y_ready_i),
    .y_o        (y)
  );

  for (genvar c = 0; c < Cols; c++) begin : gen_col
    logic real_col;
    assign real_col = COLS_W'(c) < cols_i;
    assign y_o[c*FP16_W +: FP16_W] = real_col ? y[c*FP16_W +: FP16_W] : '0;
    assign y_keep_o[2*c +: 2]      = {2{real_col}};
  end

  assign y_last_o     = out_row_q == rows_i - 1'b1;
  assign array_done_o = acc_valid_i && acc_ready_o && acc_last_i;
  assign released_o   = epilogue_valid && epilogue_ready && epilogue_last;
  assign y_done_o     = y_valid_o && y_ready_i && y_last_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q     <= '0;
      out_row_q <= '0;
    end else begin
      if (acc_valid_i && acc_ready_o) row_q <= acc_last_i ? '0 : row_q + 1'b1;
      if (y_valid_o && y_ready_i) out_row_q <= y_last_o ? '0 : out_row_q + 1'b1;
    end
  end

endmodule

`default_nettype wire
