// Amplitude, scale and zero point of a row, from its rotated beats or from the registers of a static scale.
//
//   symmetric     largest magnitude ───────► row_scale ─► A, rho
//   asymmetric    largest less smallest ───► row_scale ─► D, rho;   smallest, D ─► zero_point ─► z
//   static        registers in their places
//
// find_i, one cycle: the row is complete; amp_o and scale_o are there in the next one and stay, zero_o is there where
// ready_o is 1, with a zero point found from the row 10 cycles after find_i, and stays until done_i.
// Latency: 1; with such a zero point 10. Throughput: one beat per cycle. Overflow: none. A row may follow done_i at once.
// Python twins: fpsim/arith/row_scale.py, integer_quantizer.py (zero_point).

`default_nettype none

module fpsim_row_amplitude #(
  parameter int N         = fpsim_pkg::HADAMARD_N,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int W         = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of a rotated element
  parameter int Zeros     = 1                                                            // 1: zero points too
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              beat_i,        // h_i counts
  input  logic                              first_i,       // and is the row's first
  input  logic [N*W-1:0]                    h_i,
  input  logic                              find_i,
  input  logic                              done_i,
  input  logic                              static_i,
  input  logic                              asymmetric_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] fmt_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0]  exp_i,         // of the row
  input  logic [W:0]                        static_amp_i,
  input  logic [7:0]                        static_zero_i,
  output logic                              ready_o,
  output logic [W:0]                        amp_o,
  output logic [fpsim_pkg::TF32_W-1:0]      scale_o,
  output logic [7:0]                        zero_o         // 0 of a symmetric row
);

  localparam int AMP_W = Zeros != 0 ? W + 1 : W;

  logic [W-1:0]                 beat_amax, amax_q;
  logic [AMP_W-1:0]             found, amp, amp_q;
  logic [fpsim_pkg::TF32_W-1:0] scale, scale_q;

  fpsim_amax #(.Lanes(N), .W(W)) u_amax (.h_i(h_i), .amax_o(beat_amax));

  fpsim_row_scale #(.GuardBits(GuardBits), .W(AMP_W)) u_row_scale (
    .amax_i (static_i ? static_amp_i[AMP_W-1:0] : found),
    .exp_i  (exp_i),
    .amp_o  (amp),
    .scale_o(scale)
  );

  always_ff @(posedge clk_i) begin
    if (beat_i && (first_i || beat_amax > amax_q)) amax_q <= beat_amax;
    if (find_i) begin
      amp_q   <= amp;
      scale_q <= scale;
    end
  end

  assign amp_o   = (W+1)'(amp_q);
  assign scale_o = scale_q;

  if (Zeros != 0) begin : gen_zeros
    logic         seek, zero_ready, zero_valid, unused_ready;
    logic [W-1:0] beat_high, beat_low, high_q, low_q;  // high 0 and above, low 0 and below
    logic [7:0]   zero;

    fpsim_range #(.Lanes(N), .W(W)) u_range (.h_i(h_i), .high_o(beat_high), .low_o(beat_low));

    always_ff @(posedge clk_i) begin
      if (beat_i && (first_i || beat_high > high_q)) high_q <= beat_high;
      if (beat_i && (first_i || $signed(beat_low) < $signed(low_q))) low_q <= beat_low;
    end

    assign found        = asymmetric_i ? {1'b0, high_q} - {low_q[W-1], low_q} : {1'b0, amax_q};
    assign seek         = asymmetric_i && !static_i;
    assign unused_ready = zero_ready;

    fpsim_zero_point #(.W(W)) u_zero_point (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .in_valid_i (find_i && seek),
      .in_ready_o (zero_ready),
      .low_i      (low_q),
      .span_i     (amp),
      .format_i   (fmt_i),
      .out_valid_o(zero_valid),
      .out_ready_i(done_i),
      .zero_o     (zero)
    );

    assign ready_o = !seek || zero_valid;
    assign zero_o  = !asymmetric_i ? 8'd0 : static_i ? static_zero_i : zero;
  end else begin : gen_no_zeros
    logic unused_zeros;
    assign unused_zeros = ^{rst_ni, done_i, asymmetric_i, fmt_i, static_amp_i[W], static_zero_i};
    assign found   = amax_q;
    assign ready_o = 1'b1;
    assign zero_o  = 8'd0;
  end

endmodule

`default_nettype wire
