// fpsim_zero_point: z + 2^(b-1) is the number nearest to n * (-low) / D, ties to even, or 0 where D = 0; every row its own.
//
// The row is taken in (depth_q, span_q here) and after 9 steps 2 * n * (-low) = quotient * D + remainder, told with
// product_q as in wide_quantizer_divider.sv; then the rounding by the distances of n * (-low) to multiples of D.

module proof #(
  parameter int W = 12
) (
  input logic         clk_i, rst_ni, in_valid_i, out_ready_i,
  input logic [W-1:0] low_i,
  input logic [W:0]   span_i,
  input logic [2:0]   format_i
);

  localparam int STEPS = 9;
  localparam int N     = W + 16;

  logic       in_ready_o, out_valid_o;
  logic [7:0] zero_o;

  fpsim_zero_point #(.W(W)) dut (.*);

  (* keep *) wire             busy_q;
  (* keep *) wire [3:0]       left_q;
  (* keep *) wire [W:0]       remainder_q, span_q;
  (* keep *) wire [STEPS-1:0] bits_q;
  (* keep *) wire [2:0]       format_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic         push, pop, holds_q, bit_now;
  logic [N-1:0] depth, steps, dividend_q, product_q, prefix, prefix_after;
  logic [W:0]   row_span_q;
  logic [2:0]   row_format_q;
  logic [7:0]   half_range, wanted;
  logic [8:0]   quotient_q;
  logic [9:0]   rounded;

  assign push  = in_valid_i && in_ready_o;
  assign pop   = out_valid_o && out_ready_i;
  assign depth = N'(1 << (W - 1)) - N'(low_i ^ (1 << (W - 1)));  // -low
  assign steps = format_i == 3'd3 ? 15 : format_i == 3'd4 ? 63 : 255;

  assign prefix       = dividend_q >> left_q;
  assign prefix_after = dividend_q >> (left_q - 4'd1);
  assign bit_now      = row_span_q != 0 && prefix_after >= 2 * product_q + N'(row_span_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)   holds_q <= 1'b0;
    else if (push) holds_q <= 1'b1;
    else if (pop)  holds_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (push) begin
      dividend_q   <= 2 * steps * depth;
      row_span_q   <= span_i;
      row_format_q <= format_i;
      product_q    <= '0;
      quotient_q   <= '0;
    end else if (left_q != 0) begin
      product_q  <= 2 * product_q + (bit_now ? N'(row_span_q) : '0);
      quotient_q <= {quotient_q[7:0], bit_now};
    end
  end

  // quotient_q = floor(2 * n * (-low) / D), product_q = quotient_q * D.
  assign half_range = row_format_q == 3'd3 ? 8'd8 : row_format_q == 3'd4 ? 8'd32 : 8'd128;
  assign rounded    = {2'b0, quotient_q[8:1]}
                    + 10'(quotient_q[0] && (dividend_q != product_q || quotient_q[1]));
  assign wanted     = rounded[7:0] - half_range;

  always_comb begin
    assume (format_i >= 3'd3 && format_i <= 3'd5);
    assume (low_i == 0 || low_i[W-1]);
    if (span_i != 0) assume (8 * steps * depth <= (8 * steps + 1) * N'(span_i));
    if (!started) assume (!rst_ni);
    if (rst_ni && started) begin
      assert (out_valid_o == (holds_q && left_q == 0));
      assert (in_ready_o == (!holds_q || pop));
      if (out_valid_o) assert (zero_o == wanted);
      if (holds_q && row_span_q != 0) assert (product_q <= prefix && prefix - product_q < N'(row_span_q));
      // What carries the induction.
      assert (holds_q == busy_q && left_q <= STEPS && (holds_q || left_q == 0));
      if (holds_q) begin
        assert (span_q == row_span_q && format_q == row_format_q);
        assert (row_format_q >= 3'd3 && row_format_q <= 3'd5);
        assert (N'(bits_q) == ((dividend_q << (STEPS - left_q)) & ((N'(1) << STEPS) - 1)) + N'(quotient_q));
        assert ((N'(quotient_q) >> (STEPS - left_q)) == 0);
        if (row_span_q == 0) assert (quotient_q == 0);
        else begin
          assert (N'(remainder_q) == prefix - product_q);
          assert ((dividend_q >> STEPS) < N'(row_span_q));
        end
      end
    end
  end

endmodule
