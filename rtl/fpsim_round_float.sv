// A normalized number to FP16, BF16 or FP32, to nearest, ties to even; subnormal results are kept.
//
//   x            1xxxxxxxxxxxxxxxxxxxxxxx | h | k...    24 bits, half, the rest jammed
//   >> d         d = 24 - (significand's bits), and more below the smallest normal exponent
//   y            sign | (exponent field - 1) in place + S + up: a hidden bit in S adds the 1
//
//            significand   field of 2^0   smallest normal   largest
//   FP16         11             15             2^-14         65504
//   BF16          8            127            2^-126         about 2^128
//   FP32         24            127            2^-126         about 2^128
//
// x_i: leading 1 in the top bit, worth 2^exp_i (signed), or 0; its lowest bit may be a jam, below every half.
// Latency: combinational. Throughput: one number. Overflow: saturates to the largest finite number.
// x = 0 gives +0; an x that rounds to 0 keeps its sign. Python twin: fpsim/arith/epilogue.py.

`default_nettype none

module fpsim_round_float #(
  parameter int W    = 50,  // bits of x, 27 or more
  parameter int ExpW = 12   // bits of the exponent
) (
  input  logic                   negative_i,
  input  logic [W-1:0]           x_i,
  input  logic signed [ExpW-1:0] exp_i,
  input  logic [1:0]             result_i,
  output logic [31:0]            y_o
);

  localparam int SIG_W   = 24;         // FP32's significand
  localparam int KEPT_W  = SIG_W + 2;  // half, sticky
  localparam int SHIFT_W = 5;          // a shift by 26 or more leaves the jam alone

  // ---------------------------------
  // Format
  // ---------------------------------
  logic                   is_fp16, is_bf16;
  logic signed [ExpW-1:0] bias;  // -(smallest normal exponent) + 1; also the largest exponent
  logic signed [ExpW-1:0] cut;   // bits of a normal significand that the format does not have
  logic [30:0]            largest;

  assign is_fp16 = result_i == fpsim_row_pkg::RESULT_FP16;
  assign is_bf16 = result_i == fpsim_row_pkg::RESULT_BF16;
  assign bias    = is_fp16 ? ExpW'(15) : ExpW'(127);
  assign cut     = is_fp16 ? ExpW'(13) : is_bf16 ? ExpW'(16) : ExpW'(0);
  assign largest = is_fp16 ? fpsim_row_pkg::MAX_FP16 : is_bf16 ? fpsim_row_pkg::MAX_BF16 : fpsim_row_pkg::MAX_FP32;

  // ---------------------------------
  // Shift to the last place
  // ---------------------------------
  logic signed [ExpW-1:0] steps, distance;  // exp_i above the smallest normal exponent
  logic                   tiny;
  logic [KEPT_W-1:0]      kept, shifted;
  logic [SHIFT_W-1:0]     shift;
  logic                   unused_overflow;

  assign steps    = exp_i + bias - ExpW'(1);
  assign tiny     = steps < 0;
  assign distance = tiny ? cut - steps : cut;
  assign shift    = distance > ExpW'(31) ? '1 : distance[SHIFT_W-1:0];
  assign kept     = {x_i[W-1 -: KEPT_W-1], |x_i[W-KEPT_W:0]};

  fpsim_shift_jam #(
    .InW      (KEPT_W),
    .OutW     (KEPT_W),
    .DistanceW(SHIFT_W)
  ) u_shift (
    .x_i       (kept),
    .distance_i(shift),
    .y_o       (shifted),
    .overflow_o(unused_overflow)
  );

  // ---------------------------------
  // Round and pack
  // ---------------------------------
  logic [SIG_W-1:0] significand;
  logic             half, sticky, up, nonzero, saturate;
  logic [7:0]       field;  // exponent field - 1, where there is no overflow
  logic [30:0]      base, rounded, magnitude;

  assign {significand, half, sticky} = shifted;
  assign up        = half && (sticky || significand[0]);
  assign field     = tiny ? 8'd0 : steps[7:0];
  assign base      = is_fp16 ? 31'(field) << 10 : is_bf16 ? 31'(field) << 7 : 31'(field) << 23;
  assign rounded   = base + 31'(significand) + 31'(up);
  assign nonzero   = |x_i;
  assign saturate  = exp_i > bias || rounded > largest;
  assign magnitude = !nonzero ? '0 : saturate ? largest : rounded;

  logic sign;

  assign sign = negative_i && nonzero;
  assign y_o  = is_fp16 || is_bf16 ? {16'd0, sign, magnitude[14:0]} : {sign, magnitude};

endmodule

`default_nettype wire
