// fpsim_delay gives the word of Depth cycles ago, from the time on that there was one.

module proof #(
  parameter int W     = 2,
  parameter int Depth = 3
) (
  input logic         clk_i,
  input logic [W-1:0] d_i
);

  logic [W-1:0] q_o;

  fpsim_delay #(.W(W), .Depth(Depth)) dut (.*);

  logic [(Depth+1)*W-1:0] past;  // this cycle's word, then those before it
  logic [Depth*W-1:0]     past_q;
  logic [7:0]             cycles_q = 8'd0;

  assign past = {past_q, d_i};

  always_ff @(posedge clk_i) begin
    past_q <= past[Depth*W-1:0];
    if (cycles_q != Depth) cycles_q <= cycles_q + 8'd1;
  end

  always_comb begin
    assert (cycles_q <= Depth);
    if (cycles_q == Depth) assert (q_o == past[Depth*W +: W]);
  end

endmodule
