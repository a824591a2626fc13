// Addresses and signs of fpsim_hadamard_outer: a block's K*S beats in, then for every i and s the K terms of one result.
//
//   in     at = 0, 1, ... K*S - 1 with write_i
//   out    for i: for s: for j:   at = j*S + s, minus where P[i][j] = -1      one term with issue_i
//
// The block's shape is taken with its first beat. first_o, last_o: the term is the result's first, last (j = 0, K - 1).
// Latency: outputs are of the present cycle. Throughput: one step per cycle. Overflow: none. Reset: an empty block.
// Python twin: fpsim/arith/hadamard_outer.py.

`default_nettype none

module fpsim_hadamard_walk #(
  parameter int MaxBeats = 144  // of a block, 2 or more
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic [1:0]                  base_i,
  input  logic [6:0]                  points_i,
  input  logic [$clog2(MaxBeats)-1:0] stride_i,
  input  logic                        write_i,
  input  logic                        issue_i,
  output logic                        walking_o,  // the block is in
  output logic [$clog2(MaxBeats)-1:0] at_o,
  output logic                        first_o,
  output logic                        last_o,
  output logic                        minus_o
);

  localparam int AT_W    = $clog2(MaxBeats);
  localparam int POINT_W = 6;   // i and j, below 64
  localparam int ENTRY_W = 11;  // 36 * 36 entries of the largest table

  logic               walking_d, walking_q;
  logic [AT_W-1:0]    at_d, at_q, s_d, s_q;       // s: place within the stride
  logic [POINT_W-1:0] i_d, i_q, j_d, j_q;
  logic [ENTRY_W-1:0] row_d, row_q, entry_d, entry_q;  // i*K and i*K + j

  // ---------------------------------
  // Shape: with the first beat that of the ports, then what they were
  // ---------------------------------
  logic               opening;
  logic [1:0]         base, base_q;
  logic [POINT_W-1:0] end_point, end_point_q;  // K - 1
  logic [AT_W-1:0]    stride, stride_q;

  assign opening = !walking_q && at_q == '0;
  assign base    = opening ? base_i : base_q;
  assign stride  = opening ? stride_i : stride_q;

  always_comb begin
    end_point = end_point_q;
    if (opening) begin
      case (base_i)
        2'd1:    end_point = POINT_W'(11);
        2'd2:    end_point = POINT_W'(35);
        default: end_point = POINT_W'(points_i - 7'd1);
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_i) begin
      base_q      <= base;
      end_point_q <= end_point;
      stride_q    <= stride;
    end
  end

  // ---------------------------------
  // Counters
  // ---------------------------------
  logic s_end, j_end, i_end;

  assign s_end = s_q == stride - AT_W'(1);
  assign j_end = j_q == end_point;
  assign i_end = i_q == end_point;

  always_comb begin
    walking_d = walking_q;
    at_d      = at_q;
    s_d       = s_q;
    i_d       = i_q;
    j_d       = j_q;
    row_d     = row_q;
    entry_d   = entry_q;
    if (write_i) begin
      at_d = at_q + AT_W'(1);
      s_d  = s_end ? '0 : s_q + AT_W'(1);
      j_d  = j_q + POINT_W'(s_end);
      if (s_end && j_end) begin
        walking_d = 1'b1;
        at_d      = '0;
        j_d       = '0;
      end
    end else if (issue_i) begin
      at_d    = at_q + stride;
      j_d     = j_q + POINT_W'(1);
      entry_d = entry_q + ENTRY_W'(1);
      if (j_end) begin
        j_d     = '0;
        s_d     = s_end ? '0 : s_q + AT_W'(1);
        at_d    = s_d;
        entry_d = row_q;
        if (s_end) begin
          i_d     = i_q + POINT_W'(1);
          row_d   = row_q + ENTRY_W'(end_point) + ENTRY_W'(1);
          entry_d = row_d;
        end
        if (s_end && i_end) begin
          walking_d = 1'b0;
          i_d       = '0;
          row_d     = '0;
          entry_d   = '0;
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walking_q <= 1'b0;
      at_q      <= '0;
      s_q       <= '0;
      i_q       <= '0;
      j_q       <= '0;
      row_q     <= '0;
      entry_q   <= '0;
    end else begin
      walking_q <= walking_d;
      at_q      <= at_d;
      s_q       <= s_d;
      i_q       <= i_d;
      j_q       <= j_d;
      row_q     <= row_d;
      entry_q   <= entry_d;
    end
  end

  // ---------------------------------
  // Sign
  // ---------------------------------
  logic [255:0]  h12;
  logic [2047:0] h36;

  assign h12     = 256'(fpsim_row_pkg::H12_MINUS);
  assign h36     = 2048'(fpsim_row_pkg::H36_MINUS);
  assign minus_o = base_q == 2'd1 ? h12[entry_q[7:0]] : base_q == 2'd2 ? h36[entry_q] : ^(i_q & j_q);

  assign walking_o = walking_q;
  assign at_o      = at_q;
  assign first_o   = j_q == '0;
  assign last_o    = j_end;

endmodule

`default_nettype wire
