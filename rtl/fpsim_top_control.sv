// Order of a layer: row tile by row tile; in each its rows one after the other, then column tile by column tile.
//
//   StIdle ─► StRows (tile_rows_o rows through the row path) ─► StWeights ─► StDrain ─► StIdle
//               ▲                                                 ▲            │
//               └── next Rows rows ───────────────────────────────┴─ next Cols ┘
//
// One after the other: no phase of a layer overlaps another. An error in the data leads to StStopped, which only a
// reset leaves; no result is on offer then.
//
// Latency: a phase begins in the cycle after the one before it. Throughput: fpsim/array/top_cycles.py.
// Reset: idle. Python twin: fpsim/array/top_cycles.py.

`default_nettype none

module fpsim_top_control #(
  parameter int Rows = fpsim_pkg::ROWS,
  parameter int Cols = fpsim_pkg::COLS
) (
  input  logic                                      clk_i,
  input  logic                                      rst_ni,
  input  logic                                      start_i,
  input  logic [15:0]                               m_i,
  input  logic [15:0]                               n_i,
  input  logic                                      row_done_i,
  input  logic                                      weights_done_i,
  input  logic                                      tile_done_i,
  input  logic [7:0]                                error_i,      // of the data; 0: none
  output logic                                      run_rows_o,
  output logic                                      run_weights_o,
  output logic                                      run_drain_o,
  output logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0]  row_o,        // the row that the row path works on
  output logic [$clog2(Rows+1)-1:0]                 tile_rows_o,  // real rows and columns of the tile
  output logic [$clog2(Cols+1)-1:0]                 tile_cols_o,
  output logic                                      busy_o,
  output logic                                      stopped_o,
  output logic                                      finished_o
);

  localparam int ROW_W  = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ROWS_W = $clog2(Rows + 1);
  localparam int COLS_W = $clog2(Cols + 1);

  typedef enum logic [2:0] {StIdle, StRows, StWeights, StDrain, StStopped} state_e;

  state_e           state_d, state_q;
  logic [15:0]      rows_left_d, rows_left_q, cols_left_d, cols_left_q;  // this tile's among them
  logic [ROW_W-1:0] row_d, row_q;
  logic             more_rows, more_cols;

  assign more_rows     = rows_left_q > 16'(Rows);
  assign more_cols     = cols_left_q > 16'(Cols);
  assign tile_rows_o   = more_rows ? ROWS_W'(Rows) : rows_left_q[ROWS_W-1:0];
  assign tile_cols_o   = more_cols ? COLS_W'(Cols) : cols_left_q[COLS_W-1:0];
  assign run_rows_o    = state_q == StRows;
  assign run_weights_o = state_q == StWeights;
  assign run_drain_o   = state_q == StDrain;
  assign row_o         = row_q;
  assign busy_o        = state_q != StIdle && state_q != StStopped;
  assign stopped_o     = state_q == StStopped;
  assign finished_o    = state_q == StDrain && tile_done_i && !more_cols && !more_rows;

  always_comb begin
    state_d     = state_q;
    rows_left_d = rows_left_q;
    cols_left_d = cols_left_q;
    row_d       = row_q;
    case (state_q)
      StIdle: begin
        if (start_i) begin
          state_d     = StRows;
          rows_left_d = m_i;
          cols_left_d = n_i;
          row_d       = '0;
        end
      end
      StRows: begin
        if (row_done_i) begin
          row_d = row_q + 1'b1;
          if (ROWS_W'(row_q) + 1'b1 == tile_rows_o) begin
            state_d = StWeights;
            row_d   = '0;
          end
        end
      end
      StWeights: begin
        if (weights_done_i) state_d = StDrain;
      end
      StDrain: begin
        if (tile_done_i && more_cols) begin
          state_d     = StWeights;
          cols_left_d = cols_left_q - 16'(Cols);
        end else if (tile_done_i) begin
          state_d     = StIdle;
          cols_left_d = n_i;
          rows_left_d = rows_left_q - 16'(Rows);
          if (more_rows) state_d = StRows;
        end
      end
      default: state_d = StStopped;
    endcase
    if (busy_o && error_i != '0) state_d = StStopped;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= StIdle;
      rows_left_q <= '0;
      cols_left_q <= '0;
      row_q       <= '0;
    end else begin
      state_q     <= state_d;
      rows_left_q <= rows_left_d;
      cols_left_q <= cols_left_d;
      row_q       <= row_d;
    end
  end

endmodule

`default_nettype wire
