// Multiply-accumulate: the arithmetic of one processing element.
//
//   acc <- (first ? 0 : acc) + a * b, in units of the two steps' product, at every clock with en_i = 1
//
// Latency: 1 (acc_o is the register). Throughput: one product per cycle.
// Overflow: wraps, modulo 2^AccW in two's complement. 26 bits hold every mix of 4-bit formats at K = 4608.
// Reset: acc = 0. Python twin: fpsim/arith/mac.py.

`default_nettype none

module fpsim_mac #(
  parameter int AccW    = fpsim_pkg::ACC_W,   // accumulator width, 9 to 40
  parameter int Formats = fpsim_pkg::FORMATS  // bit f: selector f is built in
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          en_i,
  input  logic                          first_i,
  input  logic                          a_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]   a_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0] a_shift_i,
  input  logic                          b_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]   b_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0] b_shift_i,
  output logic signed [AccW-1:0]        acc_o
);

  logic signed [fpsim_pkg::PRODUCT_W-1:0] product;
  logic signed [AccW-1:0]                 acc_d, acc_q;
  logic                                   unused_high;  // of a product wider than the accumulator

  fpsim_mul #(
    .Formats(Formats)
  ) u_mul (
    .a_neg_i  (a_neg_i),
    .a_sig_i  (a_sig_i),
    .a_shift_i(a_shift_i),
    .b_neg_i  (b_neg_i),
    .b_sig_i  (b_sig_i),
    .b_shift_i(b_shift_i),
    .product_o(product)
  );

  // The product sign-extended, or its low bits where the accumulator is narrower: modulo 2^AccW either way.
  assign acc_d = (acc_q & {AccW{~first_i}}) + AccW'(product);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_q <= '0;
    end else if (en_i) begin
      acc_q <= acc_d;
    end
  end

  assign acc_o       = acc_q;
  assign unused_high = ^product;

endmodule

`default_nettype wire
