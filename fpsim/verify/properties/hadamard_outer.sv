// fpsim_hadamard_outer, blocks of Sylvester's matrices of up to MaxBeats beats: a block's results, each once, in order.
//
// The beats of a block are kept; result i*S + s is the sum of its signed terms. A result stays until it is taken.

module proof #(
  parameter int InW      = 2,
  parameter int MaxBeats = 4
) (
  input logic                        clk_i, rst_ni, in_valid_i, out_ready_i,
  input logic [6:0]                  points_i,
  input logic [$clog2(MaxBeats)-1:0] stride_i,
  input logic signed [InW-1:0]       x_i
);

  logic                    in_ready_o, out_valid_o;
  logic signed [InW+6-1:0] y_o;

  fpsim_hadamard_outer #(.Lanes(1), .InW(InW), .MaxBeats(MaxBeats)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .base_i(2'd0), .points_i(points_i), .stride_i(stride_i), .in_valid_i(in_valid_i),
    .in_ready_o(in_ready_o), .x_i(x_i), .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .y_o(y_o)
  );

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic                    push, pop, last_in, before_q;
  logic [7:0]              in_q, out_q, points, stride, points_q, stride_q, row, place;
  logic [7:0]              owed_q;  // results of blocks that are in
  logic signed [InW+6-1:0] beats_q [0:MaxBeats-1];
  logic signed [InW+6-1:0] sum, before_y_q;

  assign push    = in_valid_i && in_ready_o;
  assign pop     = out_valid_o && out_ready_i;
  assign points  = in_q == 0 ? 8'(points_i) : points_q;
  assign stride  = in_q == 0 ? 8'(stride_i) : stride_q;
  assign last_in = in_q + 8'd1 == points * stride;
  assign row     = out_q / stride_q;
  assign place   = out_q % stride_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_q     <= '0;
      out_q    <= '0;
      owed_q   <= '0;
      before_q <= 1'b0;
    end else begin
      before_q <= out_valid_o && !out_ready_i;
      owed_q   <= owed_q + (push && last_in ? points * stride : 8'd0) - 8'(pop);
      if (push) in_q <= last_in ? 8'd0 : in_q + 8'd1;
      if (pop) out_q <= out_q + 8'd1 == points_q * stride_q ? 8'd0 : out_q + 8'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    before_y_q <= y_o;
    if (push) begin
      beats_q[in_q] <= x_i;
      points_q      <= points;
      stride_q      <= stride;
    end
  end

  always_comb begin
    sum = '0;
    for (int j = 0; j < MaxBeats; j++) begin
      if (j < points_q) sum = ^(row & j) ? sum - beats_q[j*stride_q+place] : sum + beats_q[j*stride_q+place];
    end
  end

  always_comb begin
    // Only one block is on its way: the next one begins when the results of this one are out.
    assume (!(in_valid_i && in_q == 0 && owed_q != 0));
    assume (points_i != 0 && points_i <= MaxBeats && (points_i & (points_i - 7'd1)) == 0 && stride_i != 0);
    assume (8'(points_i) * 8'(stride_i) <= MaxBeats);
    if (!started) assume (!rst_ni);
    else assume (rst_ni);
    if (rst_ni && started) begin
      assert (!(out_valid_o && owed_q == 0));
      if (out_valid_o) assert (y_o == sum);
      if (before_q) assert (out_valid_o && y_o == before_y_q);
    end
  end

endmodule
