// Output-stationary systolic array: Rows x Cols accumulators, acc[r][c] = sum over k of a[r][k] * b[c][k].
//
// A beat carries the codes of one k: Rows activations, Cols weights. Lane r of the activations is delayed by r
// cycles, lane c of the weights by c, then both are decoded once; operands travel east and south, one element per
// cycle, and meet in element (r, c) r + c cycles after they met in (0, 0).
//
//              b[0]   b[1]   b[2]           skew z^-c, decode
//               v      v      v
//   a[0]   ->  PE  -> PE  -> PE             PE = operand registers + fpsim_mac
//   a[1]   ->  PE  -> PE  -> PE
//
// Cycles of a tile without stalls, from the one that accepts its first beat to the one that hands over its last row,
// both included: K + Rows + Cols. Row r is complete K + Cols + r cycles after the first beat, so row 0 is offered
// while the rows below it still finish their skew. The next tile is accepted from the next cycle on.
// A cycle without a beat feeds zero operands, which leave the accumulators as they are.
//
// Latency: Cols + 1 cycles from the last beat to row 0. Throughput: one beat per cycle, one row per cycle.
// Overflow: wraps, modulo 2^AccW. Reset: the sequencer only; in_first_i clears each accumulator on its way.
// Formats a_fmt_i and b_fmt_i are stable from the first beat to the last row. Python twin: fpsim/arith/mac.py;
// cycles: fpsim/array/cycles.py.

`default_nettype none

module fpsim_mac_array #(
  parameter int Rows    = fpsim_pkg::ROWS,     // activations per beat (tokens)
  parameter int Cols    = fpsim_pkg::COLS,     // weights per beat (output channels)
  parameter int Formats = fpsim_pkg::FORMATS,  // bit f: selector f is built in
  parameter int AccW    = fpsim_pkg::ACC_W     // accumulator width
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic [fpsim_pkg::FMT_W-1:0]       a_fmt_i,
  input  logic [fpsim_pkg::FMT_W-1:0]       b_fmt_i,
  input  logic                              in_valid_i,
  output logic                              in_ready_o,
  input  logic                              in_first_i,
  input  logic                              in_last_i,
  input  logic [Rows*fpsim_pkg::CODE_W-1:0] a_codes_i,
  input  logic [Cols*fpsim_pkg::CODE_W-1:0] b_codes_i,
  output logic                              out_valid_o,
  input  logic                              out_ready_i,
  output logic                              out_last_o,
  output logic [Cols*AccW-1:0]              out_acc_o
);

  localparam int CODE_W    = fpsim_pkg::CODE_W;
  localparam int OPERAND_W = fpsim_pkg::OPERAND_W;

  // ---------------------------------
  // Sequencer: feed, wait for row 0, drain
  // ---------------------------------
  localparam int LONGER  = Rows > Cols ? Rows : Cols;
  localparam int COUNT_W = LONGER > 1 ? $clog2(LONGER) : 1;  // counts rows and waits
  localparam int ROW_W   = Rows > 1 ? $clog2(Rows) : 1;      // index of a row
  localparam logic [COUNT_W-1:0] LAST_WAIT = COUNT_W'(Cols - 1);     // Cols cycles between last beat and row 0
  localparam logic [COUNT_W-1:0] LAST_ROW  = COUNT_W'(Rows - 1);

  typedef enum logic [1:0] {StFeed, StWait, StDrain} state_e;

  state_e             state_d, state_q;
  logic [COUNT_W-1:0] count_d, count_q;  // cycles waited, or the row on offer
  logic               beat;

  assign in_ready_o  = state_q == StFeed;
  assign out_valid_o = state_q == StDrain;
  assign out_last_o  = out_valid_o && count_q == LAST_ROW;
  assign beat        = in_valid_i && in_ready_o;

  always_comb begin
    state_d = state_q;
    count_d = count_q;
    case (state_q)
      StFeed: begin
        count_d = '0;
        if (beat && in_last_i) state_d = StWait;
      end
      StWait: begin
        count_d = count_q + 1'b1;
        if (count_q == LAST_WAIT) begin
          state_d = StDrain;
          count_d = '0;
        end
      end
      StDrain: begin
        if (out_ready_i) begin
          count_d = count_q + 1'b1;
          if (count_q == LAST_ROW) state_d = StFeed;
        end
      end
      default: state_d = StFeed;
    endcase
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StFeed;
      count_q <= '0;
    end else begin
      state_q <= state_d;
      count_q <= count_d;
    end
  end

  // ---------------------------------
  // Edges: skew, then decode; the activations bring the first mark along
  // ---------------------------------
  localparam int A_W = 1 + OPERAND_W;  // {first, neg, sig, shift}

  for (genvar r = 0; r < Rows; r++) begin : gen_a_lane
    logic [CODE_W:0]      lane_in, lane_out;  // {first, code}
    logic [OPERAND_W-1:0] operand;
    logic [A_W-1:0]       a;

    assign lane_in = beat ? {in_first_i, a_codes_i[r*CODE_W +: CODE_W]} : '0;
    fpsim_delay #(.W(1 + CODE_W), .Depth(r)) u_skew (.clk_i(clk_i), .d_i(lane_in), .q_o(lane_out));
    fpsim_decode #(.Formats(Formats)) u_decode (
      .code_i (lane_out[CODE_W-1:0]),
      .fmt_i  (a_fmt_i),
      .neg_o  (operand[OPERAND_W-1]),
      .sig_o  (operand[fpsim_pkg::SHIFT_W +: fpsim_pkg::SIG_W]),
      .shift_o(operand[fpsim_pkg::SHIFT_W-1:0])
    );
    assign a = {lane_out[CODE_W], operand};
  end

  for (genvar c = 0; c < Cols; c++) begin : gen_b_lane
    logic [CODE_W-1:0]    lane_in, lane_out;
    logic [OPERAND_W-1:0] b;

    assign lane_in = beat ? b_codes_i[c*CODE_W +: CODE_W] : '0;
    fpsim_delay #(.W(CODE_W), .Depth(c)) u_skew (.clk_i(clk_i), .d_i(lane_in), .q_o(lane_out));
    fpsim_decode #(.Formats(Formats)) u_decode (
      .code_i (lane_out),
      .fmt_i  (b_fmt_i),
      .neg_o  (b[OPERAND_W-1]),
      .sig_o  (b[fpsim_pkg::SHIFT_W +: fpsim_pkg::SIG_W]),
      .shift_o(b[fpsim_pkg::SHIFT_W-1:0])
    );
  end

  // ---------------------------------
  // Grid: operands come from the west and the north neighbour, or from the edge
  // ---------------------------------
  for (genvar r = 0; r < Rows; r++) begin : gen_row
    for (genvar c = 0; c < Cols; c++) begin : gen_col
      logic [A_W-1:0]       a_west, a_east;
      logic [OPERAND_W-1:0] b_north, b_south;
      logic [AccW-1:0]      acc;

      if (c == 0) begin : gen_west_edge
        assign a_west = gen_a_lane[r].a;
      end else begin : gen_west
        assign a_west = gen_row[r].gen_col[c-1].a_east;
      end
      if (r == 0) begin : gen_north_edge
        assign b_north = gen_b_lane[c].b;
      end else begin : gen_north
        assign b_north = gen_row[r-1].gen_col[c].b_south;
      end

      if (c == Cols - 1) begin : gen_east_edge
        logic unused_a;
        assign unused_a = ^a_east;
      end
      if (r == Rows - 1) begin : gen_south_edge
        logic unused_b;
        assign unused_b = ^b_south;
      end

      fpsim_pe #(.AccW(AccW), .Formats(Formats)) u_pe (
        .clk_i(clk_i),
        .a_i  (a_west),
        .b_i  (b_north),
        .a_o  (a_east),
        .b_o  (b_south),
        .acc_o(acc)
      );
    end
  end

  // ---------------------------------
  // Drain: the row on offer
  // ---------------------------------
  logic [Cols*AccW-1:0] row [0:Rows-1];

  for (genvar r = 0; r < Rows; r++) begin : gen_row_out
    for (genvar c = 0; c < Cols; c++) begin : gen_col_out
      assign row[r][c*AccW +: AccW] = gen_row[r].gen_col[c].acc;
    end
  end

  assign out_acc_o = row[count_q[ROW_W-1:0]];

endmodule

`default_nettype wire
