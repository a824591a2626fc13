// One lane of fpsim_align: an FP16 number becomes an integer in units of 2^(exp - 25 - GuardBits).
//
//   FP16       s eeeee mmmmmmmmmm        E = max(e, 1), S = {e != 0, m}
//   shifted    SSSSSSSSSSS ggg | h k     S << GuardBits, shifted right by exp - E; h half, k sticky (jam)
//   int        RNE, then the sign; E > exp saturates (S >= 1024 there, so that S << 1 is out of range)
//
// Latency: combinational. Throughput: one number. Overflow: saturates to +-(2^(11+GuardBits) - 1).
// Inf and NaN give 0 and special_o. Python twin: fpsim/arith/align.py.

`default_nettype none

module fpsim_align_lane #(
  parameter int GuardBits = fpsim_pkg::GUARD_BITS  // bits kept below the significand
) (
  input  logic [fpsim_pkg::FP16_W-1:0]     x_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0] exp_i,
  output logic [12+GuardBits-1:0]          int_o,
  output logic [fpsim_pkg::FP16_EXP_W-1:0] exp_o,     // E
  output logic                             special_o
);

  localparam int EXP_W   = fpsim_pkg::FP16_EXP_W;
  localparam int MAN_W   = fpsim_pkg::FP16_MAN_W;
  localparam int MAG_W   = 1 + MAN_W + GuardBits;  // significand, guard bits
  localparam int INT_W   = 1 + MAG_W;              // and the sign
  localparam int SHIFT_W = MAG_W + 2;              // and half, sticky below

  logic             sign;
  logic [EXP_W-1:0] field;
  logic [MAN_W-1:0] man;
  logic             normal;

  assign {sign, field, man} = x_i;
  assign normal    = |field;
  assign special_o = &field;
  assign exp_o     = {field[EXP_W-1:1], field[0] | ~normal};

  // ---------------------------------
  // To the row's exponent
  // ---------------------------------
  logic [EXP_W:0]     distance;  // exp - E, two's complement
  logic               above;     // E > exp
  logic [SHIFT_W-1:0] shifted;
  logic               unused_overflow;  // none: nothing is cut at the top

  assign distance = {1'b0, exp_i} - {1'b0, exp_o};
  assign above    = distance[EXP_W];

  fpsim_shift_jam #(
    .InW      (SHIFT_W),
    .OutW     (SHIFT_W),
    .DistanceW(EXP_W)
  ) u_shift (
    .x_i       ({normal, man, {(SHIFT_W-1-MAN_W){1'b0}}}),
    .distance_i(distance[EXP_W-1:0]),
    .y_o       (shifted),
    .overflow_o(unused_overflow)
  );

  // ---------------------------------
  // Round, negate: -(m + up) = ~m + !up, one incrementer for both
  // ---------------------------------
  logic [MAG_W-1:0] magnitude;
  logic             half, sticky, up, negative;

  assign magnitude = (shifted[SHIFT_W-1:2] | {MAG_W{above}}) & {MAG_W{~special_o}};
  assign half      = shifted[1];
  assign sticky    = shifted[0];
  assign up        = half && (sticky || magnitude[0]) && !above && !special_o;
  assign negative  = sign && !special_o;
  assign int_o     = ({1'b0, magnitude} ^ {INT_W{negative}}) + INT_W'(up ^ negative);

endmodule

`default_nettype wire
