// Quantizer of every operand format, 4, 6 and 8 bits wide, by division: nearest or stochastic, with or without zero point.
//
//   x     = top * |h| / A             top: largest level; INT6 31, INT8 127; with a zero point 2^b - 1 of b bits
//   index = x rounded to a level      to nearest with the format's tie rule, or up where the place between the two
//                                     levels, cut to RandomBits bits, and the lane's random bits reach 1 together
//   code  = {h < 0, index}; integers +-index, plus zero_i where asymmetric_i, saturated to the format
//
//   h ─► lanes: |h|, top * |h| ─► one bit of x per cycle, highest first ─► round ─► two nibbles
//
// Inputs belong to the beat. format_i: 0 E2M1, 1 E3M0, 2 E1M2, 3 INT4, 4 INT6, 5 INT8. amp_i is the amplitude, with
// asymmetric_i (integers only) the row's span; zero_i is then a code of the format. -2^(W-1) is a legal h.
// high_o, low_o: nibbles of the code in two's complement of 8 bits; a sign-magnitude code is the low one, high 0.
// Latency: 9 + RandomBits. Throughput: one beat in as many cycles; waits while the codes wait.
// Overflow: saturates. A = 0: every index 0. Data registers are not reset.
// Python twins: fpsim/arith/quantizer.py, integer_quantizer.py, stochastic_quantizer.py.

`default_nettype none

module fpsim_wide_quantizer #(
  parameter int Lanes      = fpsim_pkg::HADAMARD_N,                                       // integers per beat
  parameter int W          = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of a rotated element
  parameter int RandomBits = 8                                                            // per integer, 1 or more
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  input  logic [Lanes*W-1:0]          h_i,
  input  logic [W:0]                  amp_i,
  input  logic [2:0]                  format_i,
  input  logic                        asymmetric_i,
  input  logic [7:0]                  zero_i,
  input  logic                        stochastic_i,
  input  logic [Lanes*RandomBits-1:0] random_i,
  output logic                        out_valid_o,
  input  logic                        out_ready_i,
  output logic [Lanes*4-1:0]          high_o,
  output logic [Lanes*4-1:0]          low_o
);

  localparam int STEPS  = 8 + RandomBits;   // x below 256, RandomBits places below the point
  localparam int STEP_W = $clog2(STEPS + 1);

  // ---------------------------------
  // Control: empty, or steps to go, or codes waiting (no steps to go)
  // ---------------------------------
  logic              busy_d, busy_q;
  logic [STEP_W-1:0] left_d, left_q;
  logic              load, step, done;

  assign done        = busy_q && left_q == '0;
  assign step        = busy_q && left_q != '0;
  assign in_ready_o  = !busy_q || (done && out_ready_i);
  assign out_valid_o = done;
  assign load        = in_valid_i && in_ready_o;

  assign busy_d = load || (busy_q && !(done && out_ready_i));
  assign left_d = load ? STEP_W'(STEPS) : left_q - STEP_W'(step);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      left_q <= '0;
    end else begin
      busy_q <= busy_d;
      left_q <= left_d;
    end
  end

  // ---------------------------------
  // Per beat
  // ---------------------------------
  logic [W:0] amp_q;
  logic [2:0] format_q;
  logic       asymmetric_q, stochastic_q, zero_amp;
  logic [7:0] zero_q;

  always_ff @(posedge clk_i) begin
    if (load) begin
      amp_q        <= amp_i;
      format_q     <= format_i;
      asymmetric_q <= asymmetric_i;
      stochastic_q <= stochastic_i;
      zero_q       <= zero_i;
    end
  end

  assign zero_amp = amp_q == '0;

  // ---------------------------------
  // Lanes
  // ---------------------------------
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [STEPS-1:0]      quotient;
    logic                  negative, above, rest;
    logic [RandomBits-1:0] random;

    fpsim_wide_quantizer_divider #(
      .W         (W),
      .RandomBits(RandomBits)
    ) u_divider (
      .clk_i       (clk_i),
      .load_i      (load),
      .step_i      (step),
      .h_i         (h_i[i*W +: W]),
      .amp_i       (amp_i),
      .format_i    (format_i),
      .asymmetric_i(asymmetric_i),
      .random_i    (random_i[i*RandomBits +: RandomBits]),
      .amp_q_i     (amp_q),
      .quotient_o  (quotient),
      .rest_o      (rest),
      .negative_o  (negative),
      .above_o     (above),
      .random_o    (random)
    );

    fpsim_wide_quantizer_round #(
      .RandomBits(RandomBits)
    ) u_round (
      .quotient_i  (quotient),
      .rest_i      (rest),
      .negative_i  (negative),
      .above_i     (above),
      .zero_amp_i  (zero_amp),
      .random_i    (random),
      .format_i    (format_q),
      .asymmetric_i(asymmetric_q),
      .zero_i      (zero_q),
      .stochastic_i(stochastic_q),
      .high_o      (high_o[i*4 +: 4]),
      .low_o       (low_o[i*4 +: 4])
    );
  end

endmodule

`default_nettype wire
