// A beat of FP16 numbers to block floating point: integers that share the exponent exp_i.
//
//   int = RNE((S << GuardBits) * 2^(E - exp)), signed; one unit is worth 2^(exp - 25 - GuardBits)
//
// Pass 1 of a row (dynamic scale) reads exp_max_o, the largest effective exponent E of the beat, whatever exp_i is;
// pass 2 gives the largest of the row as exp_i. exp_i: 1 to 30.
// Latency: combinational. Throughput: one beat.
// Overflow: saturates to +-(2^(11+GuardBits) - 1), only where exp_i is below the element's E.
// special_o: some element is Inf or NaN; its integer is 0, and exp_max_o is 31. Python twin: fpsim/arith/align.py.

`default_nettype none

module fpsim_align #(
  parameter int Lanes     = fpsim_pkg::HADAMARD_N,  // numbers per beat
  parameter int GuardBits = fpsim_pkg::GUARD_BITS   // bits kept below the significand
) (
  input  logic [Lanes*fpsim_pkg::FP16_W-1:0] x_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0]   exp_i,
  output logic [Lanes*(12+GuardBits)-1:0]    int_o,
  output logic [fpsim_pkg::FP16_EXP_W-1:0]   exp_max_o,
  output logic                               special_o
);

  localparam int FP16_W = fpsim_pkg::FP16_W;
  localparam int EXP_W  = fpsim_pkg::FP16_EXP_W;
  localparam int INT_W  = 12 + GuardBits;  // sign, FP16 significand, guard bits

  logic [Lanes*EXP_W-1:0] exponents;
  logic [Lanes-1:0]       special;

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    fpsim_align_lane #(
      .GuardBits(GuardBits)
    ) u_lane (
      .x_i      (x_i[i*FP16_W +: FP16_W]),
      .exp_i    (exp_i),
      .int_o    (int_o[i*INT_W +: INT_W]),
      .exp_o    (exponents[i*EXP_W +: EXP_W]),
      .special_o(special[i])
    );
  end

  fpsim_max #(
    .Lanes(Lanes),
    .W    (EXP_W)
  ) u_max (
    .x_i  (exponents),
    .max_o(exp_max_o)
  );

  assign special_o = |special;

endmodule

`default_nettype wire
