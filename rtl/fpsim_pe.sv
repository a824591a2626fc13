// Processing element of the systolic array: operand registers, a fpsim_mac behind them, with Overlap an output register.
//
//   a {op, neg, sig, shift}, travels east        b {neg, sig, shift}, travels south
//
//   op     accumulator                     output register (Overlap = 0: the output is the accumulator, no TAKE)
//   ADD    acc + product                   stays
//   CLEAR  product                         stays
//   SHIFT  16 * acc + product              stays
//   TAKE   product                         the accumulator's sum so far
//
// ProductCut = 1: a register between product and sum, so everything behind it happens one cycle later.
// Latency: 1 from a_i, b_i to a_o, b_o; 2 + ProductCut to out_o with TAKE. Throughput: one product per cycle.
// Overflow: wraps, modulo 2^AccW, or saturates (see fpsim_mac).
// No enable: a zero operand under ADD holds the sum. No reset: CLEAR and TAKE clear it. Python twin: fpsim/arith/mac.py.

`default_nettype none

module fpsim_pe #(
  parameter int AccW     = fpsim_pkg::ACC_W,    // accumulator width
  parameter int Formats  = fpsim_pkg::FORMATS,  // bit f: selector f is built in
  parameter int Saturate = fpsim_pkg::SATURATE, // 0: wrap, 1: clamp every sum
  parameter int Overlap  = fpsim_pkg::OVERLAP,  // 1: output register
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT // 1: register between product and sum
) (
  input  logic                                            clk_i,
  input  logic [fpsim_pkg::OP_W+fpsim_pkg::OPERAND_W-1:0] a_i,
  input  logic [fpsim_pkg::OPERAND_W-1:0]                 b_i,
  output logic [fpsim_pkg::OP_W+fpsim_pkg::OPERAND_W-1:0] a_o,
  output logic [fpsim_pkg::OPERAND_W-1:0]                 b_o,
  output logic [AccW-1:0]                                 out_o
);

  localparam int OP_W      = fpsim_pkg::OP_W;
  localparam int OPERAND_W = fpsim_pkg::OPERAND_W;
  localparam int SIG_W     = fpsim_pkg::SIG_W;
  localparam int SHIFT_W   = fpsim_pkg::SHIFT_W;

  logic [OP_W+OPERAND_W-1:0] a_q;
  logic [OPERAND_W-1:0]      b_q;
  logic [OP_W-1:0]           op;
  logic [AccW-1:0]           acc;

  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
  end

  assign a_o = a_q;
  assign b_o = b_q;
  assign op  = a_q[OPERAND_W +: OP_W];

  fpsim_mac #(
    .AccW    (AccW),
    .Formats (Formats),
    .Saturate(Saturate),
    .ProductCut(ProductCut)
  ) u_mac (
    .clk_i    (clk_i),
    .rst_ni   (1'b1),
    .en_i     (1'b1),
    .first_i  (op == fpsim_pkg::OP_CLEAR || op == fpsim_pkg::OP_TAKE),
    .shift_i  (op == fpsim_pkg::OP_SHIFT),
    .a_neg_i  (a_q[OPERAND_W-1]),
    .a_sig_i  (a_q[SHIFT_W +: SIG_W]),
    .a_shift_i(a_q[SHIFT_W-1:0]),
    .b_neg_i  (b_q[OPERAND_W-1]),
    .b_sig_i  (b_q[SHIFT_W +: SIG_W]),
    .b_shift_i(b_q[SHIFT_W-1:0]),
    .acc_o    (acc)
  );

  if (Overlap == 0) begin : gen_no_overlap
    assign out_o = acc;
  end else begin : gen_overlap
    logic            take;   // the accumulator gets the next tile's first product
    logic [AccW-1:0] out_q;

    if (ProductCut == 0) begin : gen_no_cut
      assign take = op == fpsim_pkg::OP_TAKE;
    end else begin : gen_cut
      logic take_q;
      always_ff @(posedge clk_i) take_q <= op == fpsim_pkg::OP_TAKE;
      assign take = take_q;
    end

    always_ff @(posedge clk_i) begin
      if (take) out_q <= acc;
    end

    assign out_o = out_q;
  end

endmodule

`default_nettype wire
