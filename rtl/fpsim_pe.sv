// Processing element of the systolic array: operand registers and a fpsim_mac behind them.
//
//   a {first, neg, sig, shift}, travels east        b {neg, sig, shift}, travels south
//
// Latency: 1 from a_i, b_i to a_o, b_o; 2 to acc_o. Throughput: one product per cycle. Overflow: wraps, modulo 2^AccW.
// No enable: a zero operand holds the sum. No reset: first clears it. Python twin: fpsim/arith/mac.py.

`default_nettype none

module fpsim_pe #(
  parameter int AccW    = fpsim_pkg::ACC_W,   // accumulator width
  parameter int Formats = fpsim_pkg::FORMATS  // bit f: selector f is built in
) (
  input  logic                            clk_i,
  input  logic [fpsim_pkg::OPERAND_W:0]   a_i,
  input  logic [fpsim_pkg::OPERAND_W-1:0] b_i,
  output logic [fpsim_pkg::OPERAND_W:0]   a_o,
  output logic [fpsim_pkg::OPERAND_W-1:0] b_o,
  output logic signed [AccW-1:0]          acc_o
);

  localparam int OPERAND_W = fpsim_pkg::OPERAND_W;
  localparam int SIG_W     = fpsim_pkg::SIG_W;
  localparam int SHIFT_W   = fpsim_pkg::SHIFT_W;

  logic [OPERAND_W:0]   a_q;
  logic [OPERAND_W-1:0] b_q;

  always_ff @(posedge clk_i) begin
    a_q <= a_i;
    b_q <= b_i;
  end

  assign a_o = a_q;
  assign b_o = b_q;

  fpsim_mac #(
    .AccW   (AccW),
    .Formats(Formats)
  ) u_mac (
    .clk_i    (clk_i),
    .rst_ni   (1'b1),
    .en_i     (1'b1),
    .first_i  (a_q[OPERAND_W]),
    .a_neg_i  (a_q[OPERAND_W-1]),
    .a_sig_i  (a_q[SHIFT_W +: SIG_W]),
    .a_shift_i(a_q[SHIFT_W-1:0]),
    .b_neg_i  (b_q[OPERAND_W-1]),
    .b_sig_i  (b_q[SHIFT_W +: SIG_W]),
    .b_shift_i(b_q[SHIFT_W-1:0]),
    .acc_o    (acc_o)
  );

endmodule

`default_nettype wire
