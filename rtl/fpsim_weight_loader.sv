// The stream w, tile of Cols output channels by tile: scales and biases into registers, then K beats of codes.
//
//   beat 0 .. Cols-1    column c: bits 18:0 column scale (TF32), bits 39:24 bias (FP16), others not read
//   then K beats        k: bits 4c+3:4c code of column c, others not read; tlast on the last one
//
// The codes go straight on to the array; read_k_o asks for the activations of the beat after the one that is taken, so
// that they are there with it. A beat is taken only where run_i is 1. A tlast that is not exactly on the last beat is
// told in the cycle that takes the beat (error_o: 12); the loader must then be reset.
//
// Latency: 0. Throughput: one beat per cycle, a tile in Cols + K cycles. Overflow: none.
// Python twin: fpsim/array/top.py (weight_beats).

`default_nettype none

module fpsim_weight_loader #(
  parameter int Cols = fpsim_pkg::COLS,
  parameter int W    = 64  // bits of a beat: 40 or 4 * Cols, the larger one, in whole bytes
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               run_i,
  input  logic [15:0]                        k_i,
  input  logic                               w_valid_i,
  output logic                               w_ready_o,
  input  logic [W-1:0]                       w_i,
  input  logic                               w_last_i,
  output logic                               read_en_o,
  output logic [15:0]                        read_k_o,
  output logic                               beat_valid_o,
  input  logic                               beat_ready_i,
  output logic                               beat_first_o,
  output logic                               beat_last_o,
  output logic [Cols*fpsim_pkg::CODE_W-1:0]  codes_o,
  output logic [Cols*fpsim_pkg::TF32_W-1:0]  col_scale_o,
  output logic [Cols*fpsim_pkg::FP16_W-1:0]  bias_o,
  output logic                               tile_done_o,  // the tile's last beat is taken
  output logic [7:0]                         error_o
);

  localparam int TF32_W  = fpsim_pkg::TF32_W;
  localparam int FP16_W  = fpsim_pkg::FP16_W;
  localparam int CODE_W  = fpsim_pkg::CODE_W;
  localparam int BIAS_AT = 24;                           // whole bytes below it for the scale
  localparam int COL_W   = Cols > 1 ? $clog2(Cols) : 1;
  localparam logic [7:0] ERROR_W_LAST = 8'd12;

  logic             codes_q;  // 0: scales and biases
  logic [COL_W-1:0] col_q;
  logic [15:0]      k_q;
  logic             taken, last_col, last_k, unused_w;

  assign unused_w     = ^w_i;  // padding
  assign last_col     = col_q == COL_W'(Cols - 1);
  assign last_k       = k_q == k_i - 16'd1;
  assign w_ready_o    = run_i && (!codes_q || beat_ready_i);
  assign taken        = w_valid_i && w_ready_o;
  assign tile_done_o  = taken && codes_q && last_k;
  assign error_o      = taken && w_last_i != (codes_q && last_k) ? ERROR_W_LAST : '0;

  assign beat_valid_o = run_i && codes_q && w_valid_i;
  assign beat_first_o = k_q == '0;
  assign beat_last_o  = last_k;
  assign codes_o      = w_i[Cols*CODE_W-1:0];
  assign read_en_o    = taken && (codes_q || last_col);
  assign read_k_o     = codes_q ? k_q + 16'd1 : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      codes_q <= 1'b0;
      col_q   <= '0;
      k_q     <= '0;
    end else if (taken && codes_q) begin
      codes_q <= !last_k;
      k_q     <= last_k ? '0 : k_q + 16'd1;
    end else if (taken) begin
      codes_q <= last_col;
      col_q   <= last_col ? '0 : col_q + 1'b1;
    end
  end

  for (genvar c = 0; c < Cols; c++) begin : gen_col
    logic [TF32_W-1:0] scale_q;
    logic [FP16_W-1:0] bias_q;

    always_ff @(posedge clk_i) begin
      if (taken && !codes_q && col_q == COL_W'(c)) begin
        scale_q <= w_i[TF32_W-1:0];
        bias_q  <= w_i[BIAS_AT +: FP16_W];
      end
    end

    assign col_scale_o[c*TF32_W +: TF32_W] = scale_q;
    assign bias_o[c*FP16_W +: FP16_W]      = bias_q;
  end

endmodule

`default_nettype wire
