// fpsim_wide_quantizer_round: the law's index by comparisons with the levels, for every x below the top level.
//
// x = quotient / 2^RandomBits, and more than that where rest_i is set: in steps of half its last place.

module proof #(
  parameter int RandomBits = 4
) (
  input logic [8+RandomBits-1:0] quotient_i,
  input logic                    rest_i, negative_i, above_i, zero_amp_i, asymmetric_i, stochastic_i,
  input logic [RandomBits-1:0]   random_i,
  input logic [2:0]              format_i,
  input logic [7:0]              zero_i
);

  localparam int ONE = 1 << (RandomBits + 1);

  logic [3:0] high_o, low_o;

  fpsim_wide_quantizer_round #(.RandomBits(RandomBits)) dut (.*);

  function automatic logic [31:0] level(input logic [2:0] format, input int i);
    case (format)
      3'd0:    level = i < 4 ? i : i == 4 ? 4 : i == 5 ? 6 : i == 6 ? 8 : 12;
      3'd1:    level = i == 0 ? 0 : 32'd1 << (i - 1);
      default: level = i;
    endcase
  endfunction

  logic [31:0]        x, low, gap, reach;
  logic [7:0]         bits, largest, below, index;
  logic               sign_magnitude, up;
  logic signed [31:0] code, zero;

  always_comb begin
    sign_magnitude = format_i < 3'd3;
    bits           = format_i == 3'd5 ? 8'd8 : format_i == 3'd4 ? 8'd6 : 8'd4;
    largest        = sign_magnitude ? 8'd7 : asymmetric_i ? 8'((32'd1 << bits) - 1) : 8'((32'd1 << (bits - 1)) - 1);
    zero           = $signed({{24{zero_i[7]}}, zero_i});
    assume (format_i <= 3'd5);
    if (asymmetric_i) assume (!sign_magnitude && zero >= -(1 << (bits - 1)) && zero < (1 << (bits - 1)));
    x = 2 * 32'(quotient_i) + 32'(rest_i);
    if (!above_i && !zero_amp_i) assume (x < level(format_i, 32'(largest)) * ONE);

    // The level at or below x, and the distance to the next one.
    below = 8'(x / ONE);
    if (sign_magnitude) begin
      below = 0;
      for (int i = 1; i < 7; i++) if (x >= level(format_i, i) * ONE) below = 8'(i);
    end
    low = x - level(format_i, 32'(below)) * ONE;
    gap = (level(format_i, 32'(below) + 1) - level(format_i, 32'(below))) * ONE;
    // Ties: to the even index; E3M0 up, but for the one between its 0 and 1 (the law's).
    up = 2 * low > gap || (2 * low == gap && (format_i == 3'd1 ? below != 0 : below[0]));
    // Stochastic: the place between the levels, cut to RandomBits bits. Gaps are powers of two.
    reach = 0;
    for (int g = 0; g < 7; g++) if (gap == (ONE << g)) reach = low >> (g + 1);
    if (stochastic_i) up = reach + 32'(random_i) >= (32'd1 << RandomBits);

    index = zero_amp_i ? 8'd0 : above_i ? largest : below + 8'(up);
    code  = negative_i ? -$signed({24'd0, index}) : $signed({24'd0, index});
    if (asymmetric_i) code = code + zero;
    if (code > (1 << (bits - 1)) - 1) code = (1 << (bits - 1)) - 1;
    if (code < -(1 << (bits - 1)))    code = -(1 << (bits - 1));
    if (sign_magnitude) assert ({high_o, low_o} == {4'd0, negative_i, index[2:0]});
    else                assert ({high_o, low_o} == code[7:0]);
  end

endmodule
