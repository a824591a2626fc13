// Outer factor of a Hadamard transform, over beats: what lies above the lanes of fpsim_hadamard.
//
//   y[i*S + s] = sum over j of P[i][j] * x[j*S + s]      i, j below K, s below S; each lane by itself
//
//   base_i 0   P = Sylvester's matrix of K = points_i, a power of two from 1 to 64       K = 1: beats pass
//          1   P = H12 (Sloane's had.12), K = 12
//          2   P = H36 (Paley, q = 17), K = 36
//
// So n = 1152 = 36 * 32 at 32 lanes is fpsim_hadamard, then base 2, S = 1; 4608 = 36 * 4 * 32 has base 0, K = 4, S = 1 in
// between and then base 2, S = 4; 144 * 32 is base 1, S = 1, then base 1, S = 12.
//
//   beats ─► memory (K*S beats) ─► one beat per cycle ─► +- into one accumulator per lane ─► y, every K cycles
//
// A block is K*S beats, up to MaxBeats; base_i, points_i and stride_i = S belong to its first beat. In and out do not
// overlap: the array needs a row only every few thousand cycles, and one adder per lane is what that costs.
// Latency: K + 2 from the block's last beat to its first result. Throughput: a block in K*S*(K + 1) cycles; stalls while y
// waits. Overflow: none for |x| <= 2^(InW-1) - 1; growth 4 bits for K = 12, 6 for K = 36 and 64, y always has 6.
// Data registers are not reset. Python twin: fpsim/arith/hadamard_outer.py.

`default_nettype none

module fpsim_hadamard_outer #(
  parameter int Lanes    = fpsim_pkg::HADAMARD_N,                                       // elements per beat
  parameter int InW      = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of an element
  parameter int MaxBeats = 144                                                          // of a block, 2 or more
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  logic [1:0]                   base_i,
  input  logic [6:0]                   points_i,
  input  logic [$clog2(MaxBeats)-1:0]  stride_i,
  input  logic                         in_valid_i,
  output logic                         in_ready_o,
  input  logic [Lanes*InW-1:0]         x_i,
  output logic                         out_valid_o,
  input  logic                         out_ready_i,
  output logic [Lanes*(InW+6)-1:0]     y_o
);

  localparam int OUT_W = InW + 6;  // sums of up to 64
  localparam int AT_W  = $clog2(MaxBeats);

  // ---------------------------------
  // Walk: beats come in, then every (i, s, j) in this order
  // ---------------------------------
  logic            stall, write, issue, first_term, last_term, minus, walking;
  logic [AT_W-1:0] at;

  fpsim_hadamard_walk #(
    .MaxBeats(MaxBeats)
  ) u_walk (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .base_i    (base_i),
    .points_i  (points_i),
    .stride_i  (stride_i),
    .write_i   (write),
    .issue_i   (issue),
    .walking_o (walking),
    .at_o      (at),
    .first_o   (first_term),
    .last_o    (last_term),
    .minus_o   (minus)
  );

  assign in_ready_o = !walking;
  assign write      = in_valid_i && in_ready_o;
  assign issue      = walking && !stall;

  // ---------------------------------
  // Memory; what the term that is read will need
  // ---------------------------------
  logic [Lanes*InW-1:0] term;
  logic                 term_valid_d, term_valid_q, first_q, last_q, minus_q;

  fpsim_beat_memory #(
    .W    (Lanes * InW),
    .Beats(MaxBeats)
  ) u_memory (
    .clk_i     (clk_i),
    .write_en_i(write),
    .write_at_i(at),
    .write_i   (x_i),
    .read_en_i (issue),
    .read_at_i (at),
    .read_o    (term)
  );

  assign term_valid_d = stall ? term_valid_q : walking;

  always_ff @(posedge clk_i) begin
    if (issue) begin
      first_q <= first_term;
      last_q  <= last_term;
      minus_q <= minus;
    end
  end

  // ---------------------------------
  // Accumulate
  // ---------------------------------
  logic                   out_valid_d, out_valid_q, take, finish;
  logic [Lanes*OUT_W-1:0] acc_d, acc_q, y_q;

  assign stall       = term_valid_q && last_q && out_valid_q && !out_ready_i;
  assign take        = term_valid_q && !stall;
  assign finish      = take && last_q;
  assign out_valid_d = finish || (out_valid_q && !out_ready_i);

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OUT_W-1:0] element, sum;

    assign element = {{6{term[i*InW + InW - 1]}}, term[i*InW +: InW]};
    assign sum     = acc_q[i*OUT_W +: OUT_W] & {OUT_W{~first_q}};
    assign acc_d[i*OUT_W +: OUT_W] = sum + (element ^ {OUT_W{minus_q}}) + OUT_W'(minus_q);
  end

  always_ff @(posedge clk_i) begin
    if (take) acc_q <= acc_d;
    if (finish) y_q <= acc_d;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      term_valid_q <= 1'b0;
      out_valid_q  <= 1'b0;
    end else begin
      term_valid_q <= term_valid_d;
      out_valid_q  <= out_valid_d;
    end
  end

  assign out_valid_o = out_valid_q;
  assign y_o         = y_q;

endmodule

`default_nettype wire
