// Amplitude and scale of a row from its largest magnitude.
//
//   A   = amax rounded to 11 significant bits, nearest, ties to even (below 2^11 unchanged; may carry to a power of two)
//   rho = A * 2^(exp - 25 - GuardBits), exact in TF32; 0 where A = 0
//
//   amax << (W-1-top):   1xxxxxxxxxx | h | sssss     top: index of the leading 1
//                        11 bits      half  sticky
//   scale:   0 | 102 - GuardBits + exp + top + carry | the 10 bits below the leading 1
//
// Latency: combinational. Throughput: one row. Overflow: none for amax <= 2^(W-1), the magnitudes of W-bit integers.
// exp_i: 1 to 30. Python twin: fpsim/arith/row_scale.py.

`default_nettype none

module fpsim_row_scale #(
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,                              // bits below an FP16 significand
  parameter int W         = 12 + GuardBits + $clog2(fpsim_pkg::HADAMARD_N)  // bits of a rotated element, 13 or more
) (
  input  logic [W-1:0]                     amax_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0] exp_i,
  output logic [W-1:0]                     amp_o,
  output logic [fpsim_pkg::TF32_W-1:0]     scale_o
);

  localparam int EXP_W = fpsim_pkg::TF32_EXP_W;
  localparam int MAN_W = fpsim_pkg::TF32_MAN_W;
  localparam int SIG_W = 1 + MAN_W;  // 11 significant bits
  localparam int TOP_W = $clog2(W);  // index of a bit of amax
  // Exponent field of A = 1 at exp = 0: one unit of the row is 2^(exp - 25 - GuardBits).
  localparam int UNIT_EXP = fpsim_pkg::TF32_BIAS - fpsim_pkg::FP16_BIAS - fpsim_pkg::FP16_MAN_W - GuardBits;

  // ---------------------------------
  // Normalize
  // ---------------------------------
  logic [TOP_W-1:0] top;       // index of the leading 1; 0 for amax = 0
  logic [TOP_W-1:0] distance;  // from there to the top bit
  logic [W-1:0]     normal;    // leading 1 in the top bit

  always_comb begin
    top = '0;
    for (int i = 0; i < W; i++) begin
      if (amax_i[i]) top = TOP_W'(i);
    end
  end

  assign distance = TOP_W'(W - 1) - top;
  assign normal   = amax_i << distance;

  // ---------------------------------
  // Round to 11 significant bits; below 2^11 the dropped bits are 0
  // ---------------------------------
  logic [SIG_W-1:0] kept;
  logic             half, sticky, carry;
  logic [SIG_W:0]   rounded;

  assign kept    = normal[W-1 -: SIG_W];
  assign half    = normal[W-1-SIG_W];
  assign sticky  = |normal[W-2-SIG_W:0];
  assign rounded = {1'b0, kept} + (SIG_W+1)'(half && (sticky || kept[0]));
  assign carry   = rounded[SIG_W];

  // ---------------------------------
  // Back to an integer; TF32
  // ---------------------------------
  logic [W:0]       aligned;  // rounded at the top, one bit above amax for the carry
  logic [W:0]       amp;
  logic [EXP_W-1:0] exponent;
  logic             unused_carry;  // amax <= 2^(W-1) does not reach 2^W

  assign aligned  = {rounded, {(W-SIG_W){1'b0}}};
  assign amp      = aligned >> distance;
  assign exponent = EXP_W'(UNIT_EXP) + EXP_W'(exp_i) + EXP_W'(top) + EXP_W'(carry);

  assign amp_o        = amp[W-1:0];
  assign unused_carry = amp[W];
  // After a carry the bits below the leading 1 are 0 already.
  assign scale_o      = (|amax_i) ? {1'b0, exponent, rounded[MAN_W-1:0]} : '0;

endmodule

`default_nettype wire
