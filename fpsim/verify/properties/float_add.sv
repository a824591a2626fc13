// fpsim_float_add: the exact sum as an integer, and which two neighbours among all magnitudes it lies between.
//
// Magnitudes are ordered as their bits. In units of the term's lowest bit at the lowest field, 2^-(2^(FieldW-1)):
// magnitude {field, man} is {field != 0, man} << (max(field, 1) + SHIFT). The first magnitude that is not finite counts as
// the next one in that row.

module proof #(
  parameter int ExpW     = 3,
  parameter int ManW     = 2,
  parameter int Specials = 2,
  parameter int Rounding = 0,
  parameter int Overflow = 0,
  parameter int RandomW  = 0,
  parameter int TermW    = 3,
  parameter int FieldW   = 5
) (
  input logic [ExpW+ManW:0]                       acc_i,
  input logic                                     term_neg_i,
  input logic [TermW-1:0]                         term_sig_i,
  input logic signed [FieldW-1:0]                 term_field_i,
  input logic [((RandomW > 0) ? RandomW : 1)-1:0] random_i
);

  localparam int N        = 72;  // bits of every integer here
  localparam int LOWEST   = 1 << (FieldW - 1);
  localparam int SHIFT    = LOWEST + TermW - 1 - ManW;
  localparam int COUNT    = 1 << (ExpW + ManW);  // magnitudes
  localparam int INFINITY = ((1 << ExpW) - 1) << ManW;
  localparam int LARGEST  = Specials == 2 ? INFINITY - 1 : Specials == 1 ? COUNT - 2 : COUNT - 1;

  logic [ExpW+ManW:0] y_o;

  fpsim_float_add #(
    .ExpW(ExpW), .ManW(ManW), .Specials(Specials), .Rounding(Rounding), .Overflow(Overflow), .RandomW(RandomW),
    .TermW(TermW), .FieldW(FieldW)
  ) dut (.*);

  function automatic logic [N-1:0] units(input int magnitude);
    if (magnitude < (1 << ManW)) units = N'(magnitude) << (1 + SHIFT);
    else units = ((N'(1) << ManW) + N'(magnitude % (1 << ManW))) << (magnitude / (1 << ManW) + SHIFT);
  endfunction

  logic signed [N-1:0] acc, term, sum;
  logic [N-1:0]        magnitude, low, gap;
  logic [FieldW-1:0]   above_lowest;
  logic                sign, up, infinite, inward;
  int                  index, wanted;

  always_comb begin
    assume (term_sig_i == 0 || term_sig_i[TermW-1]);
    assume (32'(acc_i[ExpW+ManW-1:0]) <= LARGEST || (Overflow != 2 && 32'(acc_i[ExpW+ManW-1:0]) == INFINITY));

    acc          = units(32'(acc_i[ExpW+ManW-1:0]));
    above_lowest = term_field_i + FieldW'(LOWEST);
    term         = N'(term_sig_i) << above_lowest;
    sum          = (acc_i[ExpW+ManW] ? -acc : acc) + (term_neg_i ? -term : term);
    sign         = sum < 0;
    magnitude    = sign ? -sum : sum;

    index = 0;
    low   = magnitude;
    gap   = units(1);
    for (int m = 1; m <= LARGEST + 1; m++) begin
      if (magnitude >= units(m)) begin
        index = m;
        low   = magnitude - units(m);
        gap   = units(m + 1) - units(m);
      end
    end
    case (Rounding)
      0:       up = 2 * low > gap || (2 * low == gap && index[0]);
      1:       up = 2 * low >= gap;
      3:       up = !sign && low != 0;
      4:       up = sign && low != 0;
      5:       up = ((low << RandomW) & ~(gap - 1)) + gap * N'(random_i) >= gap << RandomW;
      default: up = 1'b0;
    endcase
    wanted = index + 32'(up);
    inward = Rounding == 2 || (Rounding == 3 && sign) || (Rounding == 4 && !sign);
    if (wanted > LARGEST || index > LARGEST) wanted = Overflow == 2 || (Overflow == 0 && inward) ? LARGEST : INFINITY;

    infinite = Overflow != 2 && 32'(acc_i[ExpW+ManW-1:0]) == INFINITY;
    if (infinite) assert (y_o == acc_i);
    else if (sum != 0) assert (y_o == {sign, wanted[ExpW+ManW-1:0]});
    else if (acc == 0 && acc_i[ExpW+ManW] == term_neg_i) assert (y_o == acc_i);
    else assert (y_o == {Rounding == 4, {(ExpW+ManW){1'b0}}});
  end

endmodule
