// Order of a layer: row tile by row tile; in each its rows one after the other, then column tile by column tile.
//
//   StIdle ─► StRows (tile_rows_o rows through the row path) ─► StTiles ─► StIdle
//               ▲                                                 │
//               └── next Rows rows ───────────────────────────────┘
//
// In StTiles weights are taken tile after tile (run_weights_o) while the tiles before them leave (run_drain_o): a tile is
// owed by the array and by y from weights_done_i until array_done_i and y_done_i. Rows are taken only while nothing is owed.
// An error in the data leads to StStopping, in which what is owed leaves, then to StStopped, which only a reset leaves.
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
  input  logic                                      weights_done_i,  // a tile's last beat of w is taken
  input  logic                                      array_done_i,    // its last row has left the array
  input  logic                                      y_done_i,        // its last result is taken
  input  logic [7:0]                                error_i,         // of the data; 0: none
  output logic                                      run_rows_o,
  output logic                                      run_weights_o,
  output logic                                      run_drain_o,
  output logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0]  row_o,           // the row that the row path works on
  output logic [$clog2(Rows+1)-1:0]                 tile_rows_o,     // real rows of the tile
  output logic [$clog2(Cols+1)-1:0]                 tile_cols_o,     // real columns of the tile that y offers
  output logic                                      busy_o,
  output logic                                      stopped_o,       // or about to: the streams are dropped
  output logic                                      finished_o
);

  localparam int ROW_W  = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ROWS_W = $clog2(Rows + 1);
  localparam int COLS_W = $clog2(Cols + 1);
  localparam int OWED_W = 4;  // tiles in the array, in correction and epilogue

  typedef enum logic [2:0] {StIdle, StRows, StTiles, StStopping, StStopped} state_e;

  state_e            state_d, state_q;
  logic [15:0]       rows_left_d, rows_left_q, cols_left_d, cols_left_q;  // this tile's among them
  logic [15:0]       load_left_d, load_left_q;                            // columns whose weights are still to come
  logic [OWED_W-1:0] array_owed_d, array_owed_q, y_owed_d, y_owed_q;
  logic [ROW_W-1:0]  row_d, row_q;
  logic              more_rows, more_cols, more_loads, all_left;

  assign more_rows     = rows_left_q > 16'(Rows);
  assign more_cols     = cols_left_q > 16'(Cols);
  assign more_loads    = load_left_q > 16'(Cols);
  assign tile_rows_o   = more_rows ? ROWS_W'(Rows) : rows_left_q[ROWS_W-1:0];
  assign tile_cols_o   = more_cols ? COLS_W'(Cols) : cols_left_q[COLS_W-1:0];
  assign run_rows_o    = state_q == StRows;
  assign run_weights_o = state_q == StTiles && load_left_q != '0;
  assign run_drain_o   = state_q == StTiles || state_q == StStopping;
  assign row_o         = row_q;
  assign busy_o        = state_q != StIdle && state_q != StStopped;
  assign stopped_o     = state_q == StStopping || state_q == StStopped;
  assign array_owed_d  = array_owed_q + OWED_W'(weights_done_i) - OWED_W'(array_done_i);
  assign y_owed_d      = y_owed_q + OWED_W'(weights_done_i) - OWED_W'(y_done_i);
  assign all_left      = array_owed_d == '0 && y_owed_d == '0;
  assign finished_o    = state_q == StTiles && load_left_q == '0 && all_left && !more_rows;

  always_comb begin
    state_d     = state_q;
    rows_left_d = rows_left_q;
    cols_left_d = cols_left_q;
    load_left_d = load_left_q;
    row_d       = row_q;
    case (state_q)
      StIdle: begin
        if (start_i) begin
          state_d     = StRows;
          rows_left_d = m_i;
          cols_left_d = n_i;
          load_left_d = n_i;
        end
      end
      StRows: begin
        if (row_done_i) begin
          row_d = row_q + 1'b1;
          if (ROWS_W'(row_q) + 1'b1 == tile_rows_o) begin
            state_d = StTiles;
            row_d   = '0;
          end
        end
      end
      StTiles: begin
        if (weights_done_i) load_left_d = more_loads ? load_left_q - 16'(Cols) : '0;
        if (y_done_i) cols_left_d = more_cols ? cols_left_q - 16'(Cols) : n_i;
        if (load_left_q == '0 && all_left) begin
          state_d     = StIdle;
          load_left_d = n_i;
          rows_left_d = rows_left_q - 16'(Rows);
          if (more_rows) state_d = StRows;
        end
      end
      StStopping: begin
        if (y_done_i) cols_left_d = cols_left_q - 16'(Cols);  // never the last one
        if (all_left) state_d = StStopped;
      end
      default: state_d = StStopped;
    endcase
    if (error_i != '0) state_d = StStopping;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q      <= StIdle;
      rows_left_q  <= '0;
      cols_left_q  <= '0;
      load_left_q  <= '0;
      array_owed_q <= '0;
      y_owed_q     <= '0;
      row_q        <= '0;
    end else begin
      state_q      <= state_d;
      rows_left_q  <= rows_left_d;
      cols_left_q  <= cols_left_d;
      load_left_q  <= load_left_d;
      array_owed_q <= array_owed_d;
      y_owed_q     <= y_owed_d;
      row_q        <= row_d;
    end
  end

endmodule

`default_nettype wire
