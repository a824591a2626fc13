// What the stream w brings for a tile's columns before their codes: scales, biases, zero points and sums of weights.
// A queue of tiles: while one is loaded the ones before it are still used, zero points and sums by the correction, scales
// and biases by the epilogue behind it.
//
//   scale_en_i   column col_i: bits 18:0 column scale (TF32), 39:24 bias (FP16), others not read
//   zero_en_i    column col_i: bits 15:0 zero point, 36:16 sum of the weights' codes, both signed
//   loaded_i, corrected_i, released_i     the next tile is loaded, corrected, taken by the epilogue from now on
//
// room_o: the next tile may be loaded. Two tiles fit, three with zero points (the correction takes 3 cycles), which is what
// fpsim/array/top_cycles.py needs in order that no tile ever waits for another one's.
// Latency: 1. Throughput: one column per cycle. Overflow: none. Reset: no tile.
// Python twin: fpsim/array/top.py (weight_beats).

`default_nettype none

module fpsim_column_bank #(
  parameter int Cols  = fpsim_pkg::COLS,
  parameter int Zeros = 1,  // 1: zero points too
  parameter int W     = 64  // bits of a beat of w, 40 or more
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  input  logic                                     scale_en_i,
  input  logic                                     zero_en_i,
  input  logic [(Cols > 1 ? $clog2(Cols) : 1)-1:0] col_i,
  input  logic [W-1:0]                             w_i,
  input  logic                                     loaded_i,
  input  logic                                     corrected_i,
  input  logic                                     released_i,
  output logic                                     room_o,
  output logic [Cols*fpsim_pkg::TF32_W-1:0]        col_scale_o,
  output logic [Cols*fpsim_pkg::FP16_W-1:0]        bias_o,
  output logic [Cols*16-1:0]                       weight_zero_o,
  output logic [Cols*21-1:0]                       col_sum_o
);

  localparam int TF32_W  = fpsim_pkg::TF32_W;
  localparam int FP16_W  = fpsim_pkg::FP16_W;
  localparam int COL_W   = Cols > 1 ? $clog2(Cols) : 1;
  localparam int BIAS_AT = 24;  // whole bytes below it for the scale
  localparam int SUM_AT  = 16;
  localparam int TILES   = Zeros != 0 ? 3 : 2;
  localparam int AT_W    = $clog2(TILES);
  localparam int HELD_W  = 2;

  logic unused_w;
  assign unused_w = ^w_i;  // padding

  // ---------------------------------
  // Places in the queue
  // ---------------------------------
  logic [AT_W-1:0]   load_at_q, zero_at_q, scale_at_q;
  logic [HELD_W-1:0] held_q;

  function automatic logic [AT_W-1:0] after(input logic [AT_W-1:0] at);
    after = at == AT_W'(TILES - 1) ? '0 : at + 1'b1;
  endfunction

  assign room_o = held_q != HELD_W'(TILES);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      load_at_q  <= '0;
      zero_at_q  <= '0;
      scale_at_q <= '0;
      held_q     <= '0;
    end else begin
      if (loaded_i) load_at_q <= after(load_at_q);
      if (corrected_i) zero_at_q <= after(zero_at_q);
      if (released_i) scale_at_q <= after(scale_at_q);
      held_q <= held_q + HELD_W'(loaded_i) - HELD_W'(released_i);
    end
  end

  // ---------------------------------
  // Columns
  // ---------------------------------
  for (genvar c = 0; c < Cols; c++) begin : gen_col
    logic [TF32_W-1:0] scales_q [0:TILES-1];
    logic [FP16_W-1:0] biases_q [0:TILES-1];

    always_ff @(posedge clk_i) begin
      if (scale_en_i && col_i == COL_W'(c)) begin
        scales_q[load_at_q] <= w_i[TF32_W-1:0];
        biases_q[load_at_q] <= w_i[BIAS_AT +: FP16_W];
      end
    end

    assign col_scale_o[c*TF32_W +: TF32_W] = scales_q[scale_at_q];
    assign bias_o[c*FP16_W +: FP16_W]      = biases_q[scale_at_q];

    if (Zeros != 0) begin : gen_zeros
      logic [15:0] zeros_q [0:TILES-1];
      logic [20:0] sums_q  [0:TILES-1];

      always_ff @(posedge clk_i) begin
        if (zero_en_i && col_i == COL_W'(c)) begin
          zeros_q[load_at_q] <= w_i[15:0];
          sums_q[load_at_q]  <= w_i[SUM_AT +: 21];
        end
      end

      assign weight_zero_o[c*16 +: 16] = zeros_q[zero_at_q];
      assign col_sum_o[c*21 +: 21]     = sums_q[zero_at_q];
    end
  end

  if (Zeros == 0) begin : gen_no_zeros
    logic unused_zeros;
    assign unused_zeros  = ^{zero_en_i, zero_at_q};
    assign weight_zero_o = '0;
    assign col_sum_o     = '0;
  end

endmodule

`default_nettype wire
