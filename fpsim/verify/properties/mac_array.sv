// fpsim_mac_array offers each row until it is taken: valid stays, and every accumulator and the last mark with it.
//
// Overlap = 1: the output registers change only with the take that crosses the array before the first row is offered.
// Overlap = 0: only fed beats move the accumulators, and they have left the array by then. The induction is as long as
// the way through it.

module proof #(
  parameter int Rows    = 2,
  parameter int Cols    = 2,
  parameter int AccW    = 9,
  parameter int Overlap = 1
) (
  input logic              clk_i, rst_ni, in_valid_i, in_first_i, in_shift_i, in_last_i, out_ready_i,
  input logic              in_a_low_i, in_b_low_i,
  input logic [1:0]        a_fmt_i, b_fmt_i,
  input logic [Rows*4-1:0] a_codes_i,
  input logic [Cols*4-1:0] b_codes_i
);

  logic                 in_ready_o, out_valid_o, out_last_o;
  logic [Cols*AccW-1:0] out_acc_o;

  fpsim_mac_array #(.Rows(Rows), .Cols(Cols), .Formats(1), .AccW(AccW), .Overlap(Overlap)) dut (.*);

  (* keep *) wire [1:0]                                 state_q;
  (* keep *) wire [$clog2(Rows > Cols ? Rows : Cols)-1:0] count_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic                 before_q, last_q;
  logic [Cols*AccW-1:0] acc_q;
  logic [7:0]           row_q;  // rows of this tile that were taken

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      before_q <= 1'b0;
      row_q    <= '0;
    end else begin
      before_q <= out_valid_o && !out_ready_i;
      if (out_valid_o && out_ready_i) row_q <= out_last_o ? '0 : row_q + 8'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    acc_q  <= out_acc_o;
    last_q <= out_last_o;
  end

  always_comb begin
    if (rst_ni) begin
      if (before_q) assert (out_valid_o && out_acc_o == acc_q && out_last_o == last_q);
      if (Overlap == 0) assert (!(in_ready_o && out_valid_o));  // no beat is taken while rows leave
      assert (row_q < Rows);
      if (!out_valid_o) assert (row_q == 0);  // a tile's rows leave without a gap
      if (out_valid_o) assert (out_last_o == (row_q == Rows - 1));
      // What carries the induction, with the steps: the row on offer is the counter's.
      if (state_q == 2'd2) assert (8'(count_q) == row_q);
    end
  end

endmodule
