// Sequencer of fpsim_mac_array: what each beat does with the accumulators, and which row is on offer.
//
//   beats     | tile 1       | tile 2       | tile 3 ...
//   op         C . . . . . .  T . . . . . .  T . . .          C: CLEAR   T: TAKE, on a beat or alone
//   out                       | skew | rows | skew | rows
//
// The last beat of a tile leaves it owed: complete in the accumulators as soon as it has crossed the array. The TAKE
// that moves it into the output registers is sent in the next cycle in which those are empty, with the next tile's
// first beat if there is one. It crosses the columns in Cols cycles, and the elements' ProductCut; then row after row
// is offered.
// Beats are refused only while a tile is owed and the rows of the one before have not left: the registers hold two
// tiles, whatever the output does.
// Overlap = 0: rows leave from the accumulators; beats are refused from a tile's last one until its last row has left,
// and there is no TAKE. in_ready_o and out_valid_o come from registers alone.
//
// Latency: Cols + 1 + ProductCut cycles from a TAKE (Overlap = 0: from the last beat) to row 0. Throughput: one beat per
// cycle; one TAKE in Rows + Cols + 1 + ProductCut cycles.
// Reset: no tile anywhere; what the array still carries is cleared by the next tile on its way, which it cannot pass.
// Python twin: fpsim/array/cycles.py.

`default_nettype none

module fpsim_mac_array_control #(
  parameter int Rows    = fpsim_pkg::ROWS,
  parameter int Cols    = fpsim_pkg::COLS,
  parameter int Overlap = fpsim_pkg::OVERLAP,
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT
) (
  input  logic                                       clk_i,
  input  logic                                       rst_ni,
  input  logic                                       in_valid_i,
  output logic                                       in_ready_o,
  input  logic                                       in_first_i,
  input  logic                                       in_shift_i,
  input  logic                                       in_last_i,
  output logic                                       beat_o,  // a beat is accepted
  output logic [fpsim_pkg::OP_W-1:0]                 op_o,    // what enters the array in this cycle does
  output logic                                       out_valid_o,
  input  logic                                       out_ready_i,
  output logic                                       out_last_o,
  output logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0] row_o    // the row on offer
);

  localparam int SKEW    = Cols + ProductCut;
  localparam int LONGER  = Rows > SKEW ? Rows : SKEW;
  localparam int COUNT_W = LONGER > 1 ? $clog2(LONGER) : 1;  // counts rows and waits
  localparam int ROW_W   = Rows > 1 ? $clog2(Rows) : 1;      // index of a row
  localparam logic [COUNT_W-1:0] LAST_WAIT = COUNT_W'(SKEW - 1);
  localparam logic [COUNT_W-1:0] LAST_ROW  = COUNT_W'(Rows - 1);

  typedef enum logic [1:0] {StEmpty, StSkew, StDrain} state_e;  // of the output registers

  state_e             state_d, state_q;  // StEmpty without overlap: no tile on its way out
  logic [COUNT_W-1:0] count_d, count_q;  // cycles of skew, or the row on offer
  logic               owed_d, owed_q;    // the accumulators hold a finished tile
  logic               take;
  logic               start;             // a tile sets out for the output

  if (Overlap == 0) begin : gen_no_overlap
    assign take       = 1'b0;
    assign start      = beat_o && in_last_i;
    assign in_ready_o = state_q == StEmpty;
  end else begin : gen_overlap
    assign take       = owed_q && state_q == StEmpty;
    assign start      = take;
    assign in_ready_o = !owed_q || state_q == StEmpty;
  end

  assign beat_o      = in_valid_i && in_ready_o;
  assign out_valid_o = state_q == StDrain;
  assign out_last_o  = out_valid_o && count_q == LAST_ROW;
  assign row_o       = count_q[ROW_W-1:0];

  always_comb begin
    op_o = fpsim_pkg::OP_ADD;
    if (beat_o && in_shift_i) op_o = fpsim_pkg::OP_SHIFT;
    if (beat_o && in_first_i) op_o = fpsim_pkg::OP_CLEAR;
    if (take) op_o = fpsim_pkg::OP_TAKE;
  end

  always_comb begin
    owed_d = owed_q && !take;
    if (beat_o) owed_d = in_last_i;
  end

  always_comb begin
    state_d = state_q;
    count_d = count_q;
    case (state_q)
      StEmpty: begin
        count_d = '0;
        if (start) state_d = StSkew;
      end
      StSkew: begin
        count_d = count_q + 1'b1;
        if (count_q == LAST_WAIT) begin
          state_d = StDrain;
          count_d = '0;
        end
      end
      StDrain: begin
        if (out_ready_i) begin
          count_d = count_q + 1'b1;
          if (count_q == LAST_ROW) state_d = StEmpty;
        end
      end
      default: state_d = StEmpty;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StEmpty;
      count_q <= '0;
      owed_q  <= 1'b0;
    end else begin
      state_q <= state_d;
      count_q <= count_d;
      owed_q  <= owed_d;
    end
  end

endmodule

`default_nettype wire
