// fpsim_decode is the law's table, for every code of every selector, as low nibble and not. The module `expected` is written from the law.

module proof #(
  parameter int Formats = 15
) (
  input logic [3:0] code_i,
  input logic [1:0] fmt_i,
  input logic       low_i
);

  logic       neg_o, expected_neg;
  logic [3:0] sig_o, expected_sig;
  logic [2:0] shift_o, expected_shift;

  fpsim_decode #(.Formats(Formats)) dut (.*);
  expected u_expected (
    .low_i(low_i), .fmt_i(fmt_i), .code_i(code_i), .neg_o(expected_neg), .sig_o(expected_sig), .shift_o(expected_shift)
  );

  always_comb begin
    if (Formats[fmt_i]) assert ({neg_o, sig_o, shift_o} == {expected_neg, expected_sig, expected_shift});
    else                assert ({neg_o, sig_o, shift_o} == '0);
  end

endmodule
