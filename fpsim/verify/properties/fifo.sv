// fpsim_fifo: nothing is lost, doubled or reordered, and what is offered stays until it is taken.
//
// Any one word is marked as it enters (mark_i is free), with the number of words ahead of it. When so many have left,
// the next one must be the marked one. The registers of the queue, seen through probes, carry the induction: the marked
// word lies where the read index and the number ahead say. Data independence: what holds for W bits holds for any.

module proof #(
  parameter int W     = 2,
  parameter int Depth = 4
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  input  logic [W-1:0] data_i,
  input  logic         out_ready_i,
  input  logic         mark_i
);

  localparam int N = 16;  // bits of every number here: none of them wraps

  logic         in_ready_o, out_valid_o;
  logic [W-1:0] data_o;

  fpsim_fifo #(.W(W), .Depth(Depth)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .data_i(data_i),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .data_o(data_o)
  );

  // Connected to the registers of the same names after elaboration.
  (* keep *) wire [$clog2(Depth+1)-1:0]                  count_q;
  (* keep *) wire [(Depth > 1 ? $clog2(Depth) : 1)-1:0]  read_q, write_q;
  (* keep *) wire [Depth*W-1:0]                          words_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic push, pop;
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  logic         marked_q, before_q;
  logic [N-1:0] held_q, ahead_q;
  logic [W-1:0] marked_data_q, before_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      marked_q <= 1'b0;
      held_q   <= '0;
      before_q <= 1'b0;
    end else begin
      held_q   <= held_q + N'(push) - N'(pop);
      before_q <= out_valid_o && !out_ready_i;
      if (marked_q && pop && ahead_q == '0) marked_q <= 1'b0;
      else if (!marked_q && push && mark_i) marked_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    before_data_q <= data_o;
    if (marked_q) ahead_q <= ahead_q - N'(pop);
    else begin
      ahead_q       <= held_q - N'(pop);
      marked_data_q <= data_i;
    end
  end

  logic [N-1:0] last_place, marked_place;
  assign last_place   = N'(read_q) + held_q;
  assign marked_place = N'(read_q) + ahead_q;

  always_comb begin
    if (rst_ni) begin
      // What the outside sees.
      assert (in_ready_o == (held_q < Depth));
      assert (out_valid_o == (held_q != 0));
      if (marked_q && ahead_q == '0) assert (out_valid_o && data_o == marked_data_q);
      if (before_q) assert (out_valid_o && data_o == before_data_q);
      // What carries the induction.
      assert (N'(count_q) == held_q && held_q <= Depth);
      assert (N'(read_q) < Depth && N'(write_q) == (last_place < Depth ? last_place : last_place - Depth));
      if (marked_q) begin
        assert (ahead_q < held_q);
        assert (words_q[(marked_place < Depth ? marked_place : marked_place - Depth)*W +: W] == marked_data_q);
      end
      if (before_q) assert (words_q[N'(read_q)*W +: W] == before_data_q);
    end
  end

endmodule
