// What the stream w brings for a tile's columns before their codes: scales, biases, zero points and sums of weights.
//
//   scale_en_i   column col_i: bits 18:0 column scale (TF32), 39:24 bias (FP16), others not read
//   zero_en_i    column col_i: bits 15:0 zero point, 36:16 sum of the weights' codes, both signed
//
// Latency: 1. Throughput: one column per cycle. Overflow: none. Nothing is reset.
// Python twin: fpsim/array/top.py (weight_beats).

`default_nettype none

module fpsim_column_bank #(
  parameter int Cols  = fpsim_pkg::COLS,
  parameter int Zeros = 1,  // 1: zero points too
  parameter int W     = 64  // bits of a beat of w, 40 or more
) (
  input  logic                                     clk_i,
  input  logic                                     scale_en_i,
  input  logic                                     zero_en_i,
  input  logic [(Cols > 1 ? $clog2(Cols) : 1)-1:0] col_i,
  input  logic [W-1:0]                             w_i,
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

  logic unused_w;
  assign unused_w = ^w_i;  // padding

  for (genvar c = 0; c < Cols; c++) begin : gen_col
    logic [TF32_W-1:0] scale_q;
    logic [FP16_W-1:0] bias_q;

    always_ff @(posedge clk_i) begin
      if (scale_en_i && col_i == COL_W'(c)) begin
        scale_q <= w_i[TF32_W-1:0];
        bias_q  <= w_i[BIAS_AT +: FP16_W];
      end
    end

    assign col_scale_o[c*TF32_W +: TF32_W] = scale_q;
    assign bias_o[c*FP16_W +: FP16_W]      = bias_q;

    if (Zeros != 0) begin : gen_zeros
      logic [15:0] zero_q;
      logic [20:0] sum_q;

      always_ff @(posedge clk_i) begin
        if (zero_en_i && col_i == COL_W'(c)) begin
          zero_q <= w_i[15:0];
          sum_q  <= w_i[SUM_AT +: 21];
        end
      end

      assign weight_zero_o[c*16 +: 16] = zero_q;
      assign col_sum_o[c*21 +: 21]     = sum_q;
    end
  end

  if (Zeros == 0) begin : gen_no_zeros
    logic unused_zeros;
    assign unused_zeros  = zero_en_i;
    assign weight_zero_o = '0;
    assign col_sum_o     = '0;
  end

endmodule

`default_nettype wire
