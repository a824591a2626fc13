// Random bits: a linear feedback shift register, Bits places at a time.
//
//   b_n = b_(n-31) ^ b_(n-28)         sequence:  [ 31 bits of state | Bits new ones ]
//                                                  oldest lowest      bits_o, next one lowest
//
// x^31 + x^28 + 1 is primitive (ITU-T O.150, the pattern of 2^31 - 1 bits), 2^31 - 1 is a prime: whatever Bits below it
// is, the state comes back after 2^31 - 1 steps and not before. Words of one sequence: neighbours are not independent
// to the last test (every bit is the sum of two others 28 and 31 places before), as of any such register.
// seed_i is taken where seed_en_i = 1, before a step; the illegal seed 0 is taken as all ones, which is the reset value.
// Latency: bits_o belongs to the state, combinational. Throughput: Bits per cycle. Overflow: none.
// Python twin: fpsim/arith/lfsr.py.

`default_nettype none

module fpsim_lfsr #(
  parameter int Bits = 8 * fpsim_pkg::HADAMARD_N  // bits per step, 1 or more
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            seed_en_i,
  input  logic [30:0]     seed_i,
  input  logic            step_i,     // bits_o were used: on to the next ones
  output logic [Bits-1:0] bits_o
);

  localparam int STATE_W = 31;
  localparam int TAP     = 28;

  logic [STATE_W-1:0]      state_d, state_q;
  logic [STATE_W+Bits-1:0] sequence_bits;

  assign sequence_bits[STATE_W-1:0] = state_q;

  for (genvar n = STATE_W; n < STATE_W + Bits; n++) begin : gen_bit
    assign sequence_bits[n] = sequence_bits[n-STATE_W] ^ sequence_bits[n-TAP];
  end

  assign bits_o = sequence_bits[STATE_W +: Bits];

  always_comb begin
    state_d = state_q;
    if (seed_en_i) begin
      state_d = seed_i | {STATE_W{seed_i == '0}};
    end else if (step_i) begin
      state_d = sequence_bits[Bits +: STATE_W];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= '1;
    end else begin
      state_q <= state_d;
    end
  end

endmodule

`default_nettype wire
