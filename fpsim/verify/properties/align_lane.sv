// fpsim_align_lane against a division with remainder: the number, 30 places to the left, over a power of two.

module proof #(
  parameter int GuardBits = 4
) (
  input logic [15:0] x_i,
  input logic [4:0]  exp_i
);

  logic signed [11+GuardBits:0] int_o;
  logic [4:0]                   exp_o;
  logic                         special_o;

  fpsim_align_lane #(.GuardBits(GuardBits)) dut (.*);

  localparam logic [63:0] TOP = (64'd1 << (11 + GuardBits)) - 64'd1;  // where it saturates
  localparam logic [63:0] ONE = 64'd1 << 30;

  logic [4:0]  field;
  logic [63:0] significand, scaled, quotient, rest, magnitude;

  always_comb begin
    assume (exp_i >= 1 && exp_i <= 30);
    field       = x_i[14:10];
    significand = field == 0 ? 64'(x_i[9:0]) : 64'd1024 + x_i[9:0];
    // Within this shift nothing is lost: exp is at most 30, so at least one place is left of the 30.
    scaled      = (significand << GuardBits) << 30 >> (exp_i - exp_o);
    quotient    = scaled >> 30;
    rest        = scaled & (ONE - 64'd1);
    magnitude   = 2 * rest > ONE || (2 * rest == ONE && quotient[0]) ? quotient + 1 : quotient;
    if (exp_o > exp_i || magnitude > TOP) magnitude = TOP;
    if (field == 31) magnitude = 0;
    assert (exp_o == (field == 0 ? 5'd1 : field));
    assert (special_o == (field == 31));
    assert (int_o == $signed(x_i[15] ? -magnitude : magnitude));
  end

endmodule
