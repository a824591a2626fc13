// The stream w, tile of Cols output channels by tile: scales and biases into registers, then P passes of K beats of codes.
//
//   beat 0 .. Cols-1    column c: bits 18:0 column scale (TF32), bits 39:24 bias (FP16), others not read
//   then P * K beats    k: bits 4c+3:4c code (of INT6, INT8 the pass's nibble) of column c, others not read; tlast on
//                       the very last one
//
// P = 1, with an operand of INT6 or INT8 (a_wide_i, b_wide_i) 2, with two 4: every pass brings the weights again, in the
// order activation high, weight high; high, low; low, high; low, low. beat_shift_o: the pass weighs 1/16 of the one before.
//
// The codes go straight on to the array; read_k_o and read_low_o ask for the activations of the beat after the one that is
// taken, so that they are there with it. A beat is taken only where run_i is 1. A tlast that is not exactly on the last beat is
// told in the cycle that takes the beat (error_o: 12); the loader must then be reset.
//
// Latency: 0. Throughput: one beat per cycle, a tile in Cols + P * K cycles. Overflow: none.
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
  input  logic                               a_wide_i,
  input  logic                               b_wide_i,
  input  logic                               w_valid_i,
  output logic                               w_ready_o,
  input  logic [W-1:0]                       w_i,
  input  logic                               w_last_i,
  output logic                               read_en_o,
  output logic [15:0]                        read_k_o,
  output logic                               read_low_o,
  output logic                               beat_valid_o,
  input  logic                               beat_ready_i,
  output logic                               beat_first_o,
  output logic                               beat_shift_o,
  output logic                               beat_last_o,
  output logic                               a_low_o,      // pass of the activations', the weights' low nibbles
  output logic                               b_low_o,
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
  logic             a_low_d, a_low_q, b_low_d, b_low_q;  // pass
  logic             taken, last_col, last_k, last_pass, last_beat, unused_w;

  assign unused_w     = ^w_i;  // padding
  assign last_col     = col_q == COL_W'(Cols - 1);
  assign last_k       = k_q == k_i - 16'd1;
  assign last_pass    = a_low_q == a_wide_i && b_low_q == b_wide_i;
  assign last_beat    = codes_q && last_k && last_pass;
  assign w_ready_o    = run_i && (!codes_q || beat_ready_i);
  assign taken        = w_valid_i && w_ready_o;
  assign tile_done_o  = taken && last_beat;
  assign error_o      = taken && w_last_i != last_beat ? ERROR_W_LAST : '0;

  assign beat_valid_o = run_i && codes_q && w_valid_i;
  assign beat_first_o = k_q == '0 && !a_low_q && !b_low_q;
  assign beat_shift_o = k_q == '0 && (b_low_q || (a_low_q && !b_wide_i));
  assign beat_last_o  = last_k && last_pass;
  assign a_low_o      = a_low_q;
  assign b_low_o      = b_low_q;
  assign codes_o      = w_i[Cols*CODE_W-1:0];
  assign read_en_o    = taken && (codes_q || last_col);
  assign read_k_o     = codes_q && !last_k ? k_q + 16'd1 : '0;
  assign read_low_o   = a_low_d;

  // Pass of the next beat of codes: the weights' nibbles change first; after the last pass the first one of the next tile.
  always_comb begin
    a_low_d = a_low_q;
    b_low_d = b_low_q;
    if (codes_q && last_k) begin
      b_low_d = b_wide_i && !b_low_q;
      if (b_low_q == b_wide_i) a_low_d = a_wide_i && !a_low_q;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      codes_q <= 1'b0;
      col_q   <= '0;
      k_q     <= '0;
      a_low_q <= 1'b0;
      b_low_q <= 1'b0;
    end else if (taken && codes_q) begin
      codes_q <= !last_beat;
      k_q     <= read_k_o;
      a_low_q <= a_low_d;
      b_low_q <= b_low_d;
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
