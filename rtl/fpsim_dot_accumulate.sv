// Running FP32 sum of a dot product's blocks: the last stage of fpsim_dot_mx and fpsim_dot_nvfp4.
//
//   acc <- FP32((first ? +0 : acc) + term), to nearest even, saturated; offered when the block was the last
//
// The loop closes in one cycle: alignment, addition, normalization and rounding lie between two edges of acc, so that
// a block of one sum can follow the other at every clock.
// Latency: 1. Throughput: one block per cycle; stalls while a result waits. Overflow: saturates to the largest finite
// number. Reset: acc = +0, nothing offered. Python twin: fpsim/arith/dot_block.py.

`default_nettype none

module fpsim_dot_accumulate #(
  parameter int TermW  = 13,  // bits of the term's significand
  parameter int FieldW = 10   // bits of the term's field, signed
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  logic                         in_valid_i,
  output logic                         in_ready_o,
  input  logic                         first_i,
  input  logic                         last_i,
  input  logic                         special_i,  // the block's term is not a number; it comes as 0
  input  logic                         term_neg_i,
  input  logic [TermW-1:0]             term_sig_i,
  input  logic signed [FieldW-1:0]     term_field_i,
  output logic                         out_valid_o,
  input  logic                         out_ready_i,
  output logic [fpsim_pkg::FP32_W-1:0] out_acc_o,
  output logic                         out_special_o
);

  localparam int FP32_W = fpsim_pkg::FP32_W;

  logic              load;
  logic              valid_d, valid_q;
  logic              special_d, special_q;
  logic [FP32_W-1:0] acc_before, acc_d, acc_q;
  logic              no_random;

  assign acc_before = acc_q & {FP32_W{!first_i}};
  assign no_random  = 1'b0;

  fpsim_float_add #(
    .ExpW    (fpsim_pkg::FP32_EXP_W),
    .ManW    (fpsim_pkg::FP32_MAN_W),
    .Specials(fpsim_pkg::SPECIALS_IEEE),
    .Rounding(fpsim_pkg::ROUND_RNE),
    .Overflow(fpsim_pkg::OVERFLOW_SATURATE),
    .TermW   (TermW),
    .FieldW  (FieldW)
  ) u_add (
    .acc_i       (acc_before),
    .term_neg_i  (term_neg_i),
    .term_sig_i  (term_sig_i),
    .term_field_i(term_field_i),
    .random_i    (no_random),
    .y_o         (acc_d)
  );

  assign in_ready_o = !valid_q || out_ready_i;
  assign load       = in_valid_i && in_ready_o;
  assign valid_d    = load ? last_i : valid_q && !out_ready_i;
  assign special_d  = special_i || (special_q && !first_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q   <= 1'b0;
      special_q <= 1'b0;
      acc_q     <= '0;
    end else begin
      valid_q <= valid_d;
      if (load) begin
        special_q <= special_d;
        acc_q     <= acc_d;
      end
    end
  end

  assign out_valid_o   = valid_q;
  assign out_acc_o     = acc_q;
  assign out_special_o = special_q;

endmodule

`default_nettype wire
