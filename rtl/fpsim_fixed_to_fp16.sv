// Signed fixed point to FP16, to nearest, ties to even; subnormal results are kept.
//
//   magnitude >> d until it fits 13 bits (jam):   SSSSSSSSSSS | h | k     significand, half, sticky
//   y = sign | d eeeee in place + S + up          a hidden bit in S adds the 1 that makes the exponent field d + 1
//
// The lowest bit of x is worth 2^-FracW with FracW = 26, and may be a jam: two bits below the smallest step, 2^-24.
// Latency: combinational. Throughput: one number. Overflow: saturates to +-65504.
// x = 0 gives +0; an x that rounds to 0 keeps its sign. Python twin: fpsim/arith/epilogue.py.

`default_nettype none

module fpsim_fixed_to_fp16 #(
  parameter int W     = 46,  // bits of x, 44 or more
  parameter int FracW = 26   // bits of x below the point
) (
  input  logic                         negate_i,  // the number is -x
  input  logic signed [W-1:0]          x_i,
  output logic [fpsim_pkg::FP16_W-1:0] y_o
);

  localparam int EXP_W   = fpsim_pkg::FP16_EXP_W;
  localparam int MAN_W   = fpsim_pkg::FP16_MAN_W;
  localparam int LAST_W  = MAN_W + 3;                         // hidden bit, stored bits, half, sticky
  localparam int FULL_W  = fpsim_pkg::FP16_BIAS + 1 + FracW;  // 42: below 2^16, what FP16 can hold
  localparam int REACH_W = LAST_W - 1 + (1 << EXP_W);         // 44: what the steps together can bring into LAST_W bits
  localparam int MAG_W   = W - 1;

  // ---------------------------------
  // Magnitude
  // ---------------------------------
  logic             negative, beyond;
  logic [MAG_W-1:0] magnitude;

  assign negative  = x_i[W-1];
  assign magnitude = (x_i[MAG_W-1:0] ^ {MAG_W{negative}}) + MAG_W'(negative);
  assign beyond    = |magnitude[MAG_W-1:FULL_W];

  // ---------------------------------
  // Normalize: step 16, 8, 4, 2, 1 where the rest would not fit LAST_W bits otherwise
  // ---------------------------------
  logic [REACH_W-1:0] level [0:EXP_W];
  logic [EXP_W-1:0]   distance;

  assign level[0] = REACH_W'(magnitude[FULL_W-1:0]);

  for (genvar s = 0; s < EXP_W; s++) begin : gen_step
    localparam int STEP  = 1 << (EXP_W - 1 - s);
    localparam int FIT_W = LAST_W - 1 + STEP;  // what the smaller steps can still bring into LAST_W bits

    logic             shift;
    logic [FIT_W-1:0] kept;

    assign shift = |level[s][REACH_W-1:FIT_W];
    assign kept  = shift ? {level[s][FIT_W+STEP-1:STEP+1], |level[s][STEP:0]} : level[s][FIT_W-1:0];
    assign level[s+1]          = REACH_W'(kept);
    assign distance[EXP_W-1-s] = shift;
  end

  // ---------------------------------
  // Round and pack
  // ---------------------------------
  localparam int PACKED_W = EXP_W + MAN_W;

  logic [MAN_W:0]      significand;
  logic                half, sticky, up, saturate, nonzero;
  logic [PACKED_W-1:0] rounded;

  assign {significand, half, sticky} = level[EXP_W][LAST_W-1:0];
  assign up       = half && (sticky || significand[0]);
  assign rounded  = {distance, {MAN_W{1'b0}}} + PACKED_W'(significand) + PACKED_W'(up);
  assign saturate = beyond || (&rounded[PACKED_W-1:MAN_W]);
  assign nonzero  = beyond || (|level[EXP_W]);

  assign y_o = {(negate_i ^ negative) & nonzero, saturate ? fpsim_pkg::FP16_MAX : rounded};

endmodule

`default_nettype wire
