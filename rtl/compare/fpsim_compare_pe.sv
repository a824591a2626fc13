// Processing elements that differ in their multiplier alone, to compare number formats; no part of the machine.
//
//   a, b -> operand registers -> multiplier -> acc <- (first ? 0 : acc) + a * b where en was 1
//
//   Multiplier 0   4-bit codes of the formats that the mask Formats has: fpsim_decode and fpsim_mul
//              1   two's complement integers by Baugh and Wooley
//              2   two's complement integers by the operator *
//
// The machine's own element holds decoded operands, as its decoders stand at the array's edge; here every element
// holds codes and decodes them, so that each multiplier pays for all that it needs.
// Latency: 2, from a_i, b_i to acc_o; 1 to a_o, b_o. Throughput: one product per cycle. Overflow: wraps, modulo 2^AccW.
// Reset: acc = 0, and operands that wait are dropped. Python twin: none (tests hold it to sums of products).

`default_nettype none

module fpsim_compare_pe #(
  parameter int Multiplier = 0,                 // 0, 1 or 2, see above
  parameter int Formats    = fpsim_pkg::FORMATS,// of multiplier 0; one format: its selector is a constant
  parameter int AW         = 4,                 // bits of a, 4 with multiplier 0
  parameter int BW         = 4,                 // bits of b, 4 with multiplier 0
  parameter int AccW       = 26                 // accumulator width, AW + BW or more
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        en_i,
  input  logic                        first_i,
  input  logic [fpsim_pkg::FMT_W-1:0] fmt_i,  // of both operands in the registers, one cycle behind a_i and b_i
  input  logic [AW-1:0]               a_i,
  input  logic [BW-1:0]               b_i,
  output logic [AW-1:0]               a_o,
  output logic [BW-1:0]               b_o,
  output logic [AccW-1:0]             acc_o
);

  // ---------------------------------
  // Operand registers
  // ---------------------------------
  logic [AW-1:0] a_q;
  logic [BW-1:0] b_q;
  logic          en_q, first_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q <= 1'b0;
    end else begin
      en_q <= en_i;
    end
  end

  always_ff @(posedge clk_i) begin
    first_q <= first_i;
    a_q     <= a_i;
    b_q     <= b_i;
  end

  assign a_o = a_q;
  assign b_o = b_q;

  // ---------------------------------
  // Multiplier
  // ---------------------------------
  logic [AccW-1:0] product;  // sign-extended
  logic            unused;   // of the format's selector where there is one format

  if (Multiplier == 0) begin : gen_codes
    localparam logic MANY = (Formats & (Formats - 1)) != 0;
    localparam logic [fpsim_pkg::FMT_W-1:0] ONLY = fpsim_pkg::FMT_W'($clog2(Formats));

    logic [fpsim_pkg::FMT_W-1:0]            fmt;
    logic                                   a_neg, b_neg;
    logic [fpsim_pkg::SIG_W-1:0]            a_sig, b_sig;
    logic [fpsim_pkg::SHIFT_W-1:0]          a_shift, b_shift;
    logic signed [fpsim_pkg::PRODUCT_W-1:0] exact;

    assign fmt = MANY ? fmt_i : ONLY;

    fpsim_decode #(.Formats(Formats)) u_a (
      .code_i(a_q), .fmt_i(fmt), .low_i(1'b0), .neg_o(a_neg), .sig_o(a_sig), .shift_o(a_shift)
    );
    fpsim_decode #(.Formats(Formats)) u_b (
      .code_i(b_q), .fmt_i(fmt), .low_i(1'b0), .neg_o(b_neg), .sig_o(b_sig), .shift_o(b_shift)
    );
    fpsim_mul #(.Formats(Formats)) u_mul (
      .a_neg_i(a_neg), .a_sig_i(a_sig), .a_shift_i(a_shift),
      .b_neg_i(b_neg), .b_sig_i(b_sig), .b_shift_i(b_shift), .product_o(exact)
    );

    assign product = AccW'(exact);
    assign unused  = ^fmt_i;
  end else if (Multiplier == 1) begin : gen_baugh_wooley
    logic [AW+BW-1:0] exact;

    fpsim_compare_baugh_wooley #(.AW(AW), .BW(BW)) u_mul (.a_i(a_q), .b_i(b_q), .product_o(exact));

    assign product = AccW'($signed(exact));
    assign unused  = ^fmt_i;
  end else begin : gen_operator
    logic signed [AW+BW-1:0] exact;

    assign exact   = $signed(a_q) * $signed(b_q);
    assign product = AccW'(exact);
    assign unused  = ^fmt_i;
  end

  // ---------------------------------
  // Sum
  // ---------------------------------
  logic [AccW-1:0] acc_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_q <= '0;
    end else if (en_q) begin
      acc_q <= (acc_q & {AccW{~first_q}}) + product;
    end
  end

  assign acc_o = acc_q;

endmodule

`default_nettype wire
