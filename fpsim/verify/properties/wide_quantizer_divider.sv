// fpsim_wide_quantizer_divider: after its steps top * |h| * 2^RandomBits = quotient * A + rest, rest < A.
//
// product_q adds up quotient * A as the bits of the quotient come, so that nothing has to be multiplied: what the first j
// bits make times A, plus the remainder, is what the first j bits of the dividend below the point make.

module proof #(
  parameter int W          = 21,
  parameter int RandomBits = 8
) (
  input logic                  clk_i, load_i, step_i, asymmetric_i,
  input logic signed [W-1:0]   h_i,
  input logic [W:0]            amp_i,
  input logic [2:0]            format_i,
  input logic [RandomBits-1:0] random_i
);

  localparam int STEPS = 8 + RandomBits;
  localparam int N     = W + STEPS + 4;

  logic [STEPS-1:0]      quotient_o;
  logic                  rest_o, negative_o, above_o;
  logic [RandomBits-1:0] random_o;

  logic [W:0] amp_q;

  fpsim_wide_quantizer_divider #(.W(W), .RandomBits(RandomBits)) dut (
    .clk_i(clk_i), .load_i(load_i), .step_i(step_i), .h_i(h_i), .amp_i(amp_i), .format_i(format_i),
    .asymmetric_i(asymmetric_i), .random_i(random_i), .amp_q_i(amp_q), .quotient_o(quotient_o), .rest_o(rest_o),
    .negative_o(negative_o), .above_o(above_o), .random_o(random_o)
  );

  (* keep *) wire [W:0]       remainder_q;
  (* keep *) wire [STEPS-1:0] bits_q;

  function automatic logic [N-1:0] top_level(input logic [2:0] format, input logic asymmetric);
    case (format)
      3'd0:    top_level = 12;  // E2M1
      3'd1:    top_level = 64;  // E3M0
      3'd2:    top_level = 7;   // E1M2
      3'd3:    top_level = asymmetric ? 15 : 7;
      3'd4:    top_level = asymmetric ? 63 : 31;
      default: top_level = asymmetric ? 255 : 127;
    endcase
  endfunction

  logic                  known_q = 1'b0;  // a load came
  logic [N-1:0]          dividend, dividend_q, product_q, prefix, prefix_after, absolute;
  logic [7:0]            left_q;  // steps to go
  logic                  negative_q, above_q, bit_now;
  logic [RandomBits-1:0] random_q;
  logic [STEPS-1:0]      quotient_q;

  assign absolute = h_i < 0 ? -(N'(h_i)) : N'(h_i);
  assign dividend = (absolute * top_level(format_i, asymmetric_i)) << RandomBits;
  assign prefix   = dividend_q >> left_q;

  // What the next step must find, by comparison with the multiples of A.
  assign prefix_after = dividend_q >> (left_q - 8'd1);
  assign bit_now      = prefix_after >= 2 * product_q + N'(amp_q);

  always_ff @(posedge clk_i) begin
    if (load_i) begin
      known_q    <= 1'b1;
      dividend_q <= dividend;
      amp_q      <= amp_i;
      left_q     <= STEPS;
      product_q  <= '0;
      quotient_q <= '0;
      negative_q <= h_i < 0;
      above_q    <= absolute >= N'(amp_i);
      random_q   <= random_i;
    end else if (step_i) begin
      left_q     <= left_q - 8'd1;
      product_q  <= 2 * product_q + (bit_now ? N'(amp_q) : '0);
      quotient_q <= {quotient_q[STEPS-2:0], bit_now};
    end
  end

  always_comb begin
    assume (format_i <= 3'd5);
    assume (!asymmetric_i || format_i >= 3'd3);
    if (known_q && left_q == 0) assume (!step_i);
    if (known_q) begin
      assert (left_q <= STEPS);
      assert (negative_o == negative_q && above_o == above_q && random_o == random_q);
      if (!above_q) begin
        // product_q is quotient_q * A by its making; so this is the division.
        assert (product_q <= prefix && prefix - product_q < N'(amp_q));
        if (left_q == 0) begin
          assert (quotient_o == quotient_q);
          assert (rest_o == (dividend_q != product_q));
        end
        // What carries the induction.
        assert (N'(remainder_q) == prefix - product_q);
        assert (N'(bits_q) == ((dividend_q << (STEPS - left_q)) & ((N'(1) << STEPS) - 1)) + N'(quotient_q));
        assert ((N'(quotient_q) >> (STEPS - left_q)) == 0);
        assert (dividend_q[RandomBits-1:0] == 0);
        assert ((dividend_q >> STEPS) < N'(amp_q));
      end
    end
  end

endmodule
