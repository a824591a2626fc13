// fpsim_hadamard_walk: beats come in at 0, 1, ... K*S - 1, then for every i, s, j the place j*S + s, the sign P[i][j].
//
// The module `expected` holds the tables of both bases, written from the law; Sylvester's sign is the parity of i & j.
// Shapes are any that the contract admits, and belong to a block's first beat alone.

module proof #(
  parameter int MaxBeats = 144
) (
  input logic                        clk_i, rst_ni, write_i, issue_i,
  input logic [1:0]                  base_i,
  input logic [6:0]                  points_i,
  input logic [$clog2(MaxBeats)-1:0] stride_i
);

  localparam int AT_W = $clog2(MaxBeats);

  logic            walking_o, first_o, last_o, minus_o;
  logic [AT_W-1:0] at_o;

  fpsim_hadamard_walk #(.MaxBeats(MaxBeats)) dut (.*);

  (* keep *) wire [AT_W-1:0] at_q, s_q, stride_q;
  (* keep *) wire [5:0]      i_q, j_q, end_point_q;
  (* keep *) wire [10:0]     row_q, entry_q;
  (* keep *) wire [1:0]      base_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  // The block: its shape, the run of beats that comes, the term that is due. Places and entries by repeated addition,
  // modulo the widths of the ports; they do not wrap, since K*S is MaxBeats at most.
  logic            in_block_q, walks_q;
  logic [1:0]      kind_q;
  logic [6:0]      points_q, due_row_q, due_term_q, run_q, points;
  logic [AT_W-1:0] step_q, due_place_q, beat_q, beats_q, reach_q, steps;
  logic            minus, table_minus;

  assign points = in_block_q ? points_q : base_i == 2'd1 ? 7'd12 : base_i == 2'd2 ? 7'd36 : points_i;
  assign steps  = in_block_q ? step_q : stride_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_block_q <= 1'b0;
      walks_q    <= 1'b0;
      {run_q, beat_q, beats_q} <= '0;
      {due_row_q, due_place_q, due_term_q, reach_q} <= '0;
    end else if (write_i) begin
      in_block_q <= 1'b1;
      beats_q    <= beats_q + AT_W'(1);
      beat_q    <= beat_q + AT_W'(1);
      if (beat_q + AT_W'(1) == steps) begin  // the block is K runs of S beats
        beat_q <= '0;
        run_q  <= run_q + 7'd1;
        if (run_q + 7'd1 == points) begin
          run_q  <= '0;
          walks_q <= 1'b1;
        end
      end
    end else if (issue_i) begin
      due_term_q  <= due_term_q + 7'd1;
      reach_q <= reach_q + step_q;
      if (due_term_q + 7'd1 == points_q) begin
        due_term_q  <= '0;
        reach_q <= '0;
        due_place_q <= due_place_q + AT_W'(1);
        if (due_place_q + AT_W'(1) == step_q) begin
          due_place_q <= '0;
          due_row_q   <= due_row_q + 7'd1;
          if (due_row_q + 7'd1 == points_q) begin
            due_row_q     <= '0;
            in_block_q <= 1'b0;
            walks_q    <= 1'b0;
            beats_q    <= '0;
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_i && !in_block_q) begin
      kind_q   <= base_i;
      points_q <= points;
      step_q   <= steps;
    end
  end

  expected u_expected (.base_i(kind_q), .i_i(due_row_q[5:0]), .j_i(due_term_q[5:0]), .minus_o(table_minus));
  assign minus = kind_q == 2'd0 ? ^(due_row_q & due_term_q) : table_minus;

  always_comb begin
    assume (base_i <= 2'd2 && stride_i != 0);
    if (base_i == 0) assume (points_i != 0 && points_i <= 7'd64 && (points_i & (points_i - 7'd1)) == 0);
    if (write_i && !in_block_q) assume (16'(points) * 16'(steps) <= MaxBeats);
    if (in_block_q && !walks_q) assume (beats_q < MaxBeats);  // K runs of S beats are K*S
    assume (!(write_i && walking_o) && !(issue_i && !walking_o));
    if (!started) assume (!rst_ni);
    if (rst_ni && started) begin
      assert (walking_o == walks_q);
      if (!walks_q && (in_block_q || write_i)) assert (at_o == beats_q);
      if (walks_q) begin
        assert (at_o == reach_q + due_place_q);
        assert (first_o == (due_term_q == 0) && last_o == (due_term_q + 7'd1 == points_q));
        assert (minus_o == minus);
      end
      // What carries the induction.
      if (!in_block_q) begin
        assert (!walks_q && beats_q == 0 && beat_q == 0 && run_q == 0);
        assert (at_q == 0 && s_q == 0 && j_q == 0);
      end else begin
        assert (base_q == kind_q && 7'(end_point_q) + 7'd1 == points_q && stride_q == step_q);
        assert (kind_q <= 2'd2 && step_q != 0 && points_q != 0 && points_q <= 7'd64);
        if (kind_q == 2'd1) assert (points_q == 7'd12);
        if (kind_q == 2'd2) assert (points_q == 7'd36);
      end
      if (walks_q) begin
        assert (in_block_q && s_q == due_place_q && 7'(j_q) == due_term_q && 7'(i_q) == due_row_q);
        assert (beat_q == 0 && run_q == 0 && due_row_q < points_q && due_term_q < points_q && due_place_q < step_q);
        if (kind_q == 2'd1) assert (row_q == 12 * 11'(due_row_q) && entry_q == 12 * 11'(due_row_q) + 11'(due_term_q));
        if (kind_q == 2'd2) assert (row_q == 36 * 11'(due_row_q) && entry_q == 36 * 11'(due_row_q) + 11'(due_term_q));
      end else begin
        assert (due_row_q == 0 && due_place_q == 0 && due_term_q == 0 && reach_q == 0);
        assert (i_q == 0 && row_q == 0 && entry_q == 0);
        if (in_block_q) begin
          assert (at_q == beats_q && beats_q != 0 && s_q == beat_q && 7'(j_q) == run_q);
          assert (run_q < points_q && beat_q < step_q);
        end
      end
    end
  end

endmodule
