// The stream w, tile of Cols output channels by tile: what belongs to its columns, then P passes of K beats of codes.
//
//   beats 0 .. Cols-1   column by column: scale and bias (fpsim_column_bank)
//   Cols beats more     column by column: zero point and sum; only where zeros_i is 1
//   then P * K beats    k: bits 4c+3:4c code (of INT6, INT8 the pass's nibble) of column c, others not read; tlast on
//                       the very last one
//
// P = 1, with an operand of INT6 or INT8 (a_wide_i, b_wide_i) 2, with two 4: every pass brings the weights again, in the
// order activation high, weight high; high, low; low, high; low, low. beat_shift_o: the pass weighs 1/16 of the one before.
// The codes go straight on to the array; read_k_o and read_low_o ask for the activations of the beat after the one that is
// taken, so that they are there with it. A beat is taken only where run_i is 1. A tlast that is not exactly on the last
// beat is told in the cycle that takes the beat (error_o: 12); the loader must then be reset.
//
// Latency: 0. Throughput: one beat per cycle, a tile in Cols (with zeros 2 * Cols) + P * K cycles. Overflow: none.
// Python twin: fpsim/array/top.py (weight_beats).

`default_nettype none

module fpsim_weight_loader #(
  parameter int Cols = fpsim_pkg::COLS
) (
  input  logic                                     clk_i,
  input  logic                                     rst_ni,
  input  logic                                     run_i,
  input  logic [15:0]                              k_i,
  input  logic                                     a_wide_i,
  input  logic                                     b_wide_i,
  input  logic                                     zeros_i,
  input  logic                                     w_valid_i,
  output logic                                     w_ready_o,
  input  logic                                     w_last_i,
  output logic                                     scale_en_o,   // the beat is of column col_o
  output logic                                     zero_en_o,
  output logic [(Cols > 1 ? $clog2(Cols) : 1)-1:0] col_o,
  output logic                                     read_en_o,
  output logic [15:0]                              read_k_o,
  output logic                                     read_low_o,
  output logic                                     beat_valid_o,
  input  logic                                     beat_ready_i,
  output logic                                     beat_first_o,
  output logic                                     beat_shift_o,
  output logic                                     beat_last_o,
  output logic                                     a_low_o,      // pass of the activations', the weights' low nibbles
  output logic                                     b_low_o,
  output logic                                     tile_done_o,  // the tile's last beat is taken
  output logic [7:0]                               error_o
);

  localparam int COL_W = Cols > 1 ? $clog2(Cols) : 1;
  localparam logic [7:0] ERROR_W_LAST = 8'd12;

  typedef enum logic [1:0] {StScales, StZeros, StCodes} state_e;

  state_e           state_d, state_q;
  logic [COL_W-1:0] col_d, col_q;
  logic [15:0]      k_d, k_q;
  logic             a_low_d, a_low_q, b_low_d, b_low_q;  // pass
  logic             taken, codes, last_col, last_k, last_pass, last_beat;

  assign codes        = state_q == StCodes;
  assign last_col     = col_q == COL_W'(Cols - 1);
  assign last_k       = k_q == k_i - 16'd1;
  assign last_pass    = a_low_q == a_wide_i && b_low_q == b_wide_i;
  assign last_beat    = codes && last_k && last_pass;
  assign w_ready_o    = run_i && (!codes || beat_ready_i);
  assign taken        = w_valid_i && w_ready_o;
  assign tile_done_o  = taken && last_beat && w_last_i;
  assign error_o      = taken && w_last_i != last_beat ? ERROR_W_LAST : '0;
  assign scale_en_o   = taken && state_q == StScales;
  assign zero_en_o    = taken && state_q == StZeros;
  assign col_o        = col_q;

  assign beat_valid_o = run_i && codes && w_valid_i && w_last_i == last_beat;  // no faulty tile is ever complete
  assign beat_first_o = k_q == '0 && !a_low_q && !b_low_q;
  assign beat_shift_o = k_q == '0 && (b_low_q || (a_low_q && !b_wide_i));
  assign beat_last_o  = last_k && last_pass;
  assign a_low_o      = a_low_q;
  assign b_low_o      = b_low_q;
  assign read_en_o    = taken && (codes || last_col);
  assign read_k_o     = k_d;
  assign read_low_o   = a_low_d;

  // The next beat: of which kind, column or k, pass. The weights' nibbles change first, then those of the activations.
  always_comb begin
    state_d = state_q;
    col_d   = col_q;
    k_d     = k_q;
    a_low_d = a_low_q;
    b_low_d = b_low_q;
    if (codes) begin
      k_d = k_q + 16'd1;
      if (last_k) begin
        k_d     = '0;
        b_low_d = b_wide_i && !b_low_q;
        if (b_low_q == b_wide_i) a_low_d = a_wide_i && !a_low_q;
      end
      if (last_beat) state_d = StScales;
    end else begin
      col_d = col_q + 1'b1;
      if (last_col) begin
        col_d   = '0;
        state_d = StCodes;
        if (zeros_i && state_q == StScales) state_d = StZeros;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StScales;
      col_q   <= '0;
      k_q     <= '0;
      a_low_q <= 1'b0;
      b_low_q <= 1'b0;
    end else if (taken) begin
      state_q <= state_d;
      col_q   <= col_d;
      k_q     <= k_d;
      a_low_q <= a_low_d;
      b_low_q <= b_low_d;
    end
  end

endmodule

`default_nettype wire
