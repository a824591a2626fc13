// fpsim_round_float: x cut off at its last place, told by a quotient and a rest; y counts these places.

module proof #(
  parameter int W    = 27,
  parameter int ExpW = 12
) (
  input logic                   negative_i,
  input logic [W-1:0]           x_i,
  input logic signed [ExpW-1:0] exp_i,
  input logic [1:0]             result_i
);

  logic [31:0] y_o;

  fpsim_round_float #(.W(W), .ExpW(ExpW)) dut (.*);

  localparam int N = 2 * W + 8;

  logic [N-1:0]       quotient, rest, unit;
  logic [31:0]        magnitude, largest;
  logic signed [31:0] exponent, lowest, bits, cut, place;

  always_comb begin
    assume (result_i != 2'd3);
    assume (x_i == 0 || x_i[W-1]);
    assume (exp_i >= -1000 && exp_i <= 1000);
    bits     = result_i == 0 ? 11 : result_i == 1 ? 8 : 24;
    lowest   = result_i == 0 ? -14 : -126;
    largest  = result_i == 0 ? 32'h7BFF : result_i == 1 ? 32'h7F7F : 32'h7F7FFFFF;
    exponent = exp_i;
    place    = exponent < lowest ? lowest : exponent;  // the exponent whose last place counts
    cut      = W - bits + (place - exponent);          // bits of x below that place
    if (cut > W + 1) cut = W + 1;
    unit     = N'(1) << cut[7:0];
    rest     = N'(x_i) & (unit - 1);
    quotient = N'(x_i) >> cut[7:0];
    if (2 * rest > unit || (2 * rest == unit && quotient[0])) quotient = quotient + 1;
    // The field is place - lowest + 1 where the hidden bit is there, and one more where rounding made another bit.
    magnitude = 32'(quotient) + (32'(place - lowest) << (bits - 1));
    if (exponent > 130 || magnitude > largest || (result_i == 0 && exponent > 15)) magnitude = largest;
    if (x_i == 0) assert (y_o == 0);
    else if (result_i == 2) assert (y_o == {negative_i, magnitude[30:0]});
    else                    assert (y_o == {16'd0, negative_i, magnitude[14:0]});
  end

endmodule
