// Multiplier of two decoded operands of any two built-in formats, exact.
//
//   product = (-1)^(a_neg ^ b_neg) * (a_sig * b_sig) << (a_shift + b_shift), in units of the two steps' product
//
// Only decoded operands are legal: the logic below uses that a wide significand never comes with a large shift
// (and that sig = 8 has no other bit set). The parameter Formats says which operands can come; bits that none of
// them uses are ignored and their logic goes.
//
//   total shift  0        1, 2     3        4, 5, 6  7, 8     9 .. 12
//   a_sig*b_sig  0 .. 64  0 .. 24  0 .. 9   0 .. 9   0 .. 3   0, 1
//
// Latency: combinational. Throughput: one product. Overflow: none (magnitude up to 64 * 64). A zero product is 0.
// Python twin: fpsim/arith/mul.py.

`default_nettype none

module fpsim_mul #(
  parameter int Formats = fpsim_pkg::FORMATS  // bit f: selector f is built in
) (
  input  logic                                   a_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]            a_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0]          a_shift_i,
  input  logic                                   b_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]            b_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0]          b_shift_i,
  output logic signed [fpsim_pkg::PRODUCT_W-1:0] product_o
);

  localparam int PRODUCT_W = fpsim_pkg::PRODUCT_W;
  localparam int SHIFTED_W = PRODUCT_W - 1;  // magnitude, any formats
  // Magnitude that the built-in formats need: E2M1 alone 8 bits (144), all 13 (4096).
  localparam int MAG_W = $clog2(fpsim_pkg::largest(Formats) * fpsim_pkg::largest(Formats) + 1);

  // ---------------------------------
  // Operands that can come
  // ---------------------------------
  logic [3:0] a_sig, b_sig;
  logic [2:0] a_shift, b_shift;

  assign a_sig   = a_sig_i & fpsim_pkg::sig_mask(Formats);
  assign b_sig   = b_sig_i & fpsim_pkg::sig_mask(Formats);
  assign a_shift = a_shift_i & fpsim_pkg::shift_mask(Formats);
  assign b_shift = b_shift_i & fpsim_pkg::shift_mask(Formats);

  // ---------------------------------
  // Significands: three partial products; sig = 8 stands alone, so its products are ORed
  // ---------------------------------
  logic [5:0] low_product;
  logic [6:0] sig_product;

  assign low_product = {3'b0, a_sig[2:0] & {3{b_sig[0]}}}
                     + {2'b0, a_sig[2:0] & {3{b_sig[1]}}, 1'b0}
                     + {1'b0, a_sig[2:0] & {3{b_sig[2]}}, 2'b0};
  assign sig_product = {1'b0, low_product}
                     | {a_sig & {4{b_sig[3]}}, 3'b0}
                     | {b_sig & {4{a_sig[3]}}, 3'b0};

  // ---------------------------------
  // Shift by 8, 4, 2, 1; the bits that the table above excludes are not built
  // ---------------------------------
  logic [3:0]           shift;
  logic [6:0]           by_8_low;   // bits 0 to 6
  logic [1:0]           by_8_high;  // bits 8 and 9
  logic [SHIFTED_W-1:0] by_4, by_2, by_1;

  assign shift     = {1'b0, a_shift} + {1'b0, b_shift};
  // A shift of 8 moves at most two bits, and bits 2 to 6 are then 0.
  assign by_8_low  = {sig_product[6:2], sig_product[1:0] & {2{~shift[3]}}};
  assign by_8_high = sig_product[1:0] & {2{shift[3]}};
  // A shift of 4 moves four bits, or after a shift of 8 bit 8 alone; bits 4 to 6 and 9 are then 0.
  assign by_4      = {by_8_high[0] & shift[2], 2'b0, by_8_high[1], by_8_high[0] & ~shift[2],
                      by_8_low[3] & shift[2], by_8_low[6:4] | (by_8_low[2:0] & {3{shift[2]}}),
                      by_8_low[3:0] & {4{~shift[2]}}};
  assign by_2      = shift[1] ? {by_4[SHIFTED_W-3:0], 2'b0} : by_4;
  assign by_1      = shift[0] ? {by_2[SHIFTED_W-2:0], 1'b0} : by_2;

  // ---------------------------------
  // Sign
  // ---------------------------------
  logic [MAG_W:0] magnitude, product;
  logic           unused_zeros;  // above MAG_W

  assign magnitude = {1'b0, by_1[MAG_W-1:0]};
  assign product   = (a_neg_i ^ b_neg_i) ? ~magnitude + {{MAG_W{1'b0}}, 1'b1} : magnitude;
  assign product_o = PRODUCT_W'($signed(product));

  assign unused_zeros = ^by_1;

endmodule

`default_nettype wire
