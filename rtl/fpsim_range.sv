// Largest and smallest integer of a beat, 0 among them.
//
//   key up    h >= 0 ? h : 0          high = largest key up
//   key down  h <  0 ? ~h : 0         low  = ~largest key down where some h is negative, else 0
//
// A negative h is folded to ~h = -h - 1, so that no lane needs an adder; the largest fold is the smallest h.
// Latency: combinational. Throughput: one beat. Overflow: none. Python twin: fpsim/arith/integer_quantizer.py (min, max).

`default_nettype none

module fpsim_range #(
  parameter int Lanes = fpsim_pkg::HADAMARD_N,                                        // integers per beat
  parameter int W     = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N)  // bits of a rotated element
) (
  input  logic [Lanes*W-1:0] h_i,
  output logic [W-1:0]       high_o,  // 0 to 2^(W-1) - 1
  output logic [W-1:0]       low_o    // -2^(W-1) to 0
);

  localparam int KEY_W = W - 1;

  logic [Lanes*KEY_W-1:0] ups, downs;
  logic [Lanes-1:0]       signs;
  logic [KEY_W-1:0]       up, down;

  for (genvar i = 0; i < Lanes; i++) begin : gen_key
    assign signs[i] = h_i[i*W + W - 1];
    assign ups[i*KEY_W +: KEY_W]   = h_i[i*W +: KEY_W] & {KEY_W{~signs[i]}};
    assign downs[i*KEY_W +: KEY_W] = ~h_i[i*W +: KEY_W] & {KEY_W{signs[i]}};
  end

  fpsim_max #(
    .Lanes(Lanes),
    .W    (KEY_W)
  ) u_high (
    .x_i  (ups),
    .max_o(up)
  );

  fpsim_max #(
    .Lanes(Lanes),
    .W    (KEY_W)
  ) u_low (
    .x_i  (downs),
    .max_o(down)
  );

  assign high_o = {1'b0, up};
  assign low_o  = {W{|signs}} & {1'b1, ~down};

endmodule

`default_nettype wire
