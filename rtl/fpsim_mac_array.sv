// Output-stationary systolic array: Rows x Cols accumulators, acc[r][c] = sum over k of a[r][k] * b[c][k].
//
// A beat carries the codes of one k: Rows activations, Cols weights. Lane r of the activations is delayed by r
// cycles, lane c of the weights by c, then both are decoded once; operands travel east and south, one element per
// cycle, and meet in element (r, c) r + c cycles after they met in (0, 0).
//
//              b[0]   b[1]   b[2]           skew z^-c, decode
//               v      v      v
//   a[0]   ->  PE  -> PE  -> PE             PE = operand registers, fpsim_mac, output register
//   a[1]   ->  PE  -> PE  -> PE
//
// A tile is P passes of K beats, in_first_i on the very first, in_last_i on the very last. P = 1 for 4-bit formats.
// Wider integers come as nibbles under the selector of INT4: in_a_low_i, in_b_low_i say which side is a low nibble,
// in_shift_i marks the first beat of a pass that weighs 1/16 of the pass before. Where INT4 is not built in or
// Saturate = 1 there are no passes, and these three are ignored.
//
// The next tile may begin in the cycle after the last beat. Each PE has a second register, which takes the finished
// sum over as the next tile comes by, and the rows leave from there meanwhile (fpsim_mac_array_control), so the output
// may stall for a whole tile before a beat is refused. It is a quarter of the PE (ASAP7, 26 bits). Sums that leave
// straight from the accumulators as the next tile comes by need a triangle of registers to line up the columns' skew
// and a hold on every operand register for when the output waits, by estimate three quarters of that area, and then
// each stalled row costs a cycle of the whole array. Overlap = 0 saves all of it: the next tile waits for the rows.
// Cycles without stalls, from the first beat to the last row, both included: P * K + D for one tile, D = Rows + Cols + 1 +
// ProductCut; max(P * K, D) for each further one. Overlap = 0: one less in D, and P * K + D for each.
// A cycle without a beat feeds zero operands, which leave the accumulators as they are.
//
// Latency: Cols + 2 + ProductCut cycles from the last beat to row 0 (Overlap = 0: one less). Throughput: one beat per cycle, one row per cycle.
// Overflow: wraps, modulo 2^AccW, or saturates at every addition. Reset: the sequencer only.
// Formats a_fmt_i and b_fmt_i are stable from the first beat to the last row, over all tiles in between.
// Python twin: fpsim/arith/mac.py, fpsim/arith/passes.py; cycles: fpsim/array/cycles.py.

`default_nettype none

module fpsim_mac_array #(
  parameter int Rows     = fpsim_pkg::ROWS,     // activations per beat (tokens)
  parameter int Cols     = fpsim_pkg::COLS,     // weights per beat (output channels)
  parameter int Formats  = fpsim_pkg::FORMATS,  // bit f: selector f is built in
  parameter int AccW     = fpsim_pkg::ACC_W,    // accumulator width
  parameter int Saturate = fpsim_pkg::SATURATE, // 0: wrap, 1: clamp every sum
  parameter int Overlap  = fpsim_pkg::OVERLAP,  // 1: a tile drains while the next one loads
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT // 1: register between product and sum in every element
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic [fpsim_pkg::FMT_W-1:0]       a_fmt_i,
  input  logic [fpsim_pkg::FMT_W-1:0]       b_fmt_i,
  input  logic                              in_valid_i,
  output logic                              in_ready_o,
  input  logic                              in_first_i,
  input  logic                              in_shift_i,
  input  logic                              in_last_i,
  input  logic                              in_a_low_i,
  input  logic                              in_b_low_i,
  input  logic [Rows*fpsim_pkg::CODE_W-1:0] a_codes_i,
  input  logic [Cols*fpsim_pkg::CODE_W-1:0] b_codes_i,
  output logic                              out_valid_o,
  input  logic                              out_ready_i,
  output logic                              out_last_o,
  output logic [Cols*AccW-1:0]              out_acc_o
);

  localparam int CODE_W    = fpsim_pkg::CODE_W;
  localparam int OP_W      = fpsim_pkg::OP_W;
  localparam int OPERAND_W = fpsim_pkg::OPERAND_W;
  localparam int ROW_W     = Rows > 1 ? $clog2(Rows) : 1;
  localparam logic PASSES  = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4) && Saturate == 0;

  logic             beat;
  logic [OP_W-1:0]  op;
  logic [ROW_W-1:0] row_index;

  fpsim_mac_array_control #(
    .Rows(Rows), .Cols(Cols), .Overlap(Overlap), .ProductCut(ProductCut)
  ) u_control (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .in_first_i (in_first_i),
    .in_shift_i (PASSES && in_shift_i),
    .in_last_i  (in_last_i),
    .beat_o     (beat),
    .op_o       (op),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .out_last_o (out_last_o),
    .row_o      (row_index)
  );

  // ---------------------------------
  // Edges: skew, then decode; the activations bring the operation along
  // ---------------------------------
  localparam int A_W = OP_W + OPERAND_W;  // {op, neg, sig, shift}
  logic a_low, b_low;

  assign a_low = PASSES && in_a_low_i;
  assign b_low = PASSES && in_b_low_i;

  for (genvar r = 0; r < Rows; r++) begin : gen_a_lane
    logic [OP_W+CODE_W:0] lane_in, lane_out;  // {op, low, code}
    logic [OPERAND_W-1:0] operand;
    logic [A_W-1:0]       a;

    assign lane_in = {op, beat ? {a_low, a_codes_i[r*CODE_W +: CODE_W]} : {(1+CODE_W){1'b0}}};
    fpsim_delay #(.W(OP_W + 1 + CODE_W), .Depth(r)) u_skew (.clk_i(clk_i), .d_i(lane_in), .q_o(lane_out));
    fpsim_decode #(.Formats(Formats)) u_decode (
      .code_i (lane_out[CODE_W-1:0]),
      .fmt_i  (a_fmt_i),
      .low_i  (lane_out[CODE_W]),
      .neg_o  (operand[OPERAND_W-1]),
      .sig_o  (operand[fpsim_pkg::SHIFT_W +: fpsim_pkg::SIG_W]),
      .shift_o(operand[fpsim_pkg::SHIFT_W-1:0])
    );
    assign a = {lane_out[CODE_W+1 +: OP_W], operand};
  end

  for (genvar c = 0; c < Cols; c++) begin : gen_b_lane
    logic [CODE_W:0]      lane_in, lane_out;  // {low, code}
    logic [OPERAND_W-1:0] b;

    assign lane_in = beat ? {b_low, b_codes_i[c*CODE_W +: CODE_W]} : '0;
    fpsim_delay #(.W(1 + CODE_W), .Depth(c)) u_skew (.clk_i(clk_i), .d_i(lane_in), .q_o(lane_out));
    fpsim_decode #(.Formats(Formats)) u_decode (
      .code_i (lane_out[CODE_W-1:0]),
      .fmt_i  (b_fmt_i),
      .low_i  (lane_out[CODE_W]),
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
      logic [AccW-1:0]      out;

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

      fpsim_pe #(
        .AccW(AccW), .Formats(Formats), .Saturate(Saturate), .Overlap(Overlap), .ProductCut(ProductCut)
      ) u_pe (
        .clk_i(clk_i),
        .a_i  (a_west),
        .b_i  (b_north),
        .a_o  (a_east),
        .b_o  (b_south),
        .out_o(out)
      );
    end
  end

  // ---------------------------------
  // Drain: the row on offer
  // ---------------------------------
  logic [Cols*AccW-1:0] row [0:Rows-1];

  for (genvar r = 0; r < Rows; r++) begin : gen_row_out
    for (genvar c = 0; c < Cols; c++) begin : gen_col_out
      assign row[r][c*AccW +: AccW] = gen_row[r].gen_col[c].out;
    end
  end

  assign out_acc_o = row[row_index];

endmodule

`default_nettype wire
