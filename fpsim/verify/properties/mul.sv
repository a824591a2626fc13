// fpsim_mul gives the law's product of every two decoded operands. `expected` is a table written from the law.

module proof #(
  parameter int Formats = 15
) (
  input logic       a_neg_i, b_neg_i,
  input logic [3:0] a_sig_i, b_sig_i,
  input logic [2:0] a_shift_i, b_shift_i
);

  logic signed [13:0] product_o, expected_product;
  logic               legal;

  fpsim_mul #(.Formats(Formats)) dut (.*);
  expected u_expected (
    .a_i({a_neg_i, a_sig_i, a_shift_i}), .b_i({b_neg_i, b_sig_i, b_shift_i}),
    .legal_o(legal), .product_o(expected_product)
  );

  always_comb begin
    assume (legal);  // decoded operands of the formats that are built in
    assert (product_o == expected_product);
  end

endmodule
