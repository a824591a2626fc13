// Largest magnitude of a beat of signed integers.
//
// A negative h is folded to ~h = |h| - 1 with its sign as the bit below; these keys order as the magnitudes do (equal
// magnitudes may differ), so that only the winner needs the + 1:
//
//   key = { h < 0 ? ~h : h , h < 0 }      amax = (largest key >> 1) + (largest key & 1)
//
// Latency: combinational. Throughput: one beat. Overflow: none (2^(W-1), the magnitude of the lowest h, fits in W bits).
// Python twin: fpsim/arith/row_scale.py.

`default_nettype none

module fpsim_amax #(
  parameter int Lanes = fpsim_pkg::HADAMARD_N,                                        // integers per beat
  parameter int W     = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N)  // bits of a rotated element
) (
  input  logic [Lanes*W-1:0] h_i,
  output logic [W-1:0]       amax_o
);

  localparam int KEY_W = W;  // folded magnitude W-1 bits, sign

  logic [Lanes*KEY_W-1:0] keys;
  logic [KEY_W-1:0]       key;

  for (genvar i = 0; i < Lanes; i++) begin : gen_key
    logic sign;
    assign sign = h_i[i*W + W - 1];
    assign keys[i*KEY_W +: KEY_W] = {h_i[i*W +: W-1] ^ {(W-1){sign}}, sign};
  end

  fpsim_max #(
    .Lanes(Lanes),
    .W    (KEY_W)
  ) u_max (
    .x_i  (keys),
    .max_o(key)
  );

  assign amax_o = {1'b0, key[KEY_W-1:1]} + W'(key[0]);

endmodule

`default_nettype wire
