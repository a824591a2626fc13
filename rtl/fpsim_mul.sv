// Multiplier of two decoded operands of any two built-in formats, exact.
//
//   product = (-1)^(a_neg ^ b_neg) * (a_sig * b_sig) << (a_shift + b_shift), in units of the two steps' product
//
// Only decoded operands are legal: the widths below use that a wide significand never comes with a large shift. The
// parameter Formats says which operands can come, with INT4 the low nibble of wider integers too; bits that none of
// them uses are ignored and their logic goes.
//
//   total shift             0    1    2    3    4    5    6    7    8    9   10   11   12
//   largest a_sig*b_sig   225   45   45   15   15   15   15    3    3    1    1    1    1
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
  // Magnitude that the built-in formats need: E2M1 alone 8 bits (144), all 13 (4096).
  localparam int MAG_W = $clog2(fpsim_pkg::largest(Formats) * fpsim_pkg::largest(Formats) + 1);
  // The same for the significands alone: E2M1 4 bits (9), INT4 with its low nibbles 8 (225).
  localparam logic       HAS_INT4    = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4);
  localparam logic [3:0] SIG_MASK    = fpsim_pkg::sig_mask(Formats);
  localparam logic [2:0] SHIFT_MASK  = fpsim_pkg::shift_mask(Formats);
  localparam int         LARGEST_SIG = HAS_INT4 ? fpsim_pkg::LARGEST_LOW : 32'(SIG_MASK);
  localparam int         SIG_MAG_W   = $clog2(LARGEST_SIG * LARGEST_SIG + 1);

  // ---------------------------------
  // Operands that can come
  // ---------------------------------
  logic [3:0] a_sig, b_sig;
  logic [2:0] a_shift, b_shift;

  assign a_sig   = a_sig_i & SIG_MASK;
  assign b_sig   = b_sig_i & SIG_MASK;
  assign a_shift = a_shift_i & SHIFT_MASK;
  assign b_shift = b_shift_i & SHIFT_MASK;

  // ---------------------------------
  // Significands: four partial products, the fourth only where INT4 is built in
  // ---------------------------------
  logic [5:0] low_product, high_product;  // by the lower and the upper two bits of b: up to 15 * 3
  logic [7:0] sig_product;

  assign low_product  = {2'b0, a_sig & {4{b_sig[0]}}} + {1'b0, a_sig & {4{b_sig[1]}}, 1'b0};
  assign high_product = {2'b0, a_sig & {4{b_sig[2]}}} + {1'b0, a_sig & {4{b_sig[3]}}, 1'b0};
  assign sig_product  = {2'b0, low_product} + {high_product, 2'b0};

  // ---------------------------------
  // Sign, while the number is narrow
  // ---------------------------------
  logic [SIG_MAG_W:0] magnitude, signed_product;

  assign magnitude      = {1'b0, sig_product[SIG_MAG_W-1:0]};
  assign signed_product = (a_neg_i ^ b_neg_i) ? -magnitude : magnitude;

  // ---------------------------------
  // Shift by 1, 2, 4, 8; each step as wide as the table's largest number there
  // ---------------------------------
  localparam int BY_0_W = 9;   // up to 225; also up to 180 after the steps by 1 and 2 (45 << 2)
  localparam int BY_4_W = 11;  // up to 960 (15 << 6)

  logic [3:0]           shift;
  logic [BY_0_W-1:0]    by_0, by_1, by_2;
  logic [BY_4_W-1:0]    by_4;
  logic [PRODUCT_W-1:0] by_8;
  logic                 unused_high;  // bits that no product of the built-in formats reaches

  assign shift = {1'b0, a_shift} + {1'b0, b_shift};
  assign by_0  = BY_0_W'($signed(signed_product));
  assign by_1  = shift[0] ? {by_0[BY_0_W-2:0], 1'b0} : by_0;
  assign by_2  = shift[1] ? {by_1[BY_0_W-3:0], 2'b0} : by_1;
  assign by_4  = shift[2] ? {by_2[BY_4_W-5:0], 4'b0} : BY_4_W'($signed(by_2));
  assign by_8  = shift[3] ? {by_4[PRODUCT_W-9:0], 8'b0} : PRODUCT_W'($signed(by_4));

  assign product_o   = PRODUCT_W'($signed(by_8[MAG_W:0]));
  assign unused_high = ^{by_8, sig_product};

endmodule

`default_nettype wire
