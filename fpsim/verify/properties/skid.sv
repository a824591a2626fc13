// fpsim_skid: nothing is lost, doubled or reordered, what is offered stays, and it never stalls without a reason.
//
// The marked word of fifo.sv, in two registers: the word on offer and the spare one behind it.

module proof #(
  parameter int W = 2
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  input  logic [W-1:0] data_i,
  input  logic         out_ready_i,
  input  logic         mark_i
);

  logic         in_ready_o, out_valid_o;
  logic [W-1:0] data_o;

  fpsim_skid #(.W(W)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .in_valid_i(in_valid_i), .in_ready_o(in_ready_o), .data_i(data_i),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .data_o(data_o)
  );

  (* keep *) wire         valid_q, spare_q;
  (* keep *) wire [W-1:0] spare_word_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic push, pop;
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  logic         marked_q, before_q;
  logic [7:0]   held_q, ahead_q;
  logic [W-1:0] marked_data_q, before_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      marked_q <= 1'b0;
      held_q   <= '0;
      before_q <= 1'b0;
    end else begin
      held_q   <= held_q + 8'(push) - 8'(pop);
      before_q <= out_valid_o && !out_ready_i;
      if (marked_q && pop && ahead_q == '0) marked_q <= 1'b0;
      else if (!marked_q && push && mark_i) marked_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    before_data_q <= data_o;
    if (marked_q) ahead_q <= ahead_q - 8'(pop);
    else begin
      ahead_q       <= held_q - 8'(pop);
      marked_data_q <= data_i;
    end
  end

  always_comb begin
    if (rst_ni) begin
      assert (in_ready_o == (held_q < 2));
      assert (out_valid_o == (held_q != 0));
      if (marked_q && ahead_q == '0) assert (out_valid_o && data_o == marked_data_q);
      if (before_q) assert (out_valid_o && data_o == before_data_q);
      // What carries the induction.
      assert (held_q == 8'(valid_q) + 8'(spare_q) && (valid_q || !spare_q));
      if (marked_q) assert (ahead_q < held_q);
      if (marked_q && ahead_q == 8'd1) assert (spare_word_q == marked_data_q);
    end
  end

endmodule
