// Rotation of a row's beats: within a beat by hadamard, across beats by hadamard_outer.
//
//   x_i ───► hadamard ───────┐
//   beat_i ► hadamard_outer ─┴─► y_o      one of the two at a time
//
// beat_i are beats that hadamard has transformed: with second_i = 0 in blocks of points_i (Sylvester's matrix), with
// second_i = 1 in blocks of K * points_i, K = 12 (base_i = 1) or 36 (2), over the result of the first. Outer = 0: none.
// Latency: log2 N / Cut, rounded up; of hadamard_outer its own. Throughput: one beat per cycle; likewise. Overflow: none where W has one bit
// for every doubling of the block. Python twins: fpsim/arith/hadamard.py, hadamard_outer.py.

`default_nettype none

module fpsim_row_rotation #(
  parameter int N        = fpsim_pkg::HADAMARD_N,
  parameter int InW      = 12 + fpsim_pkg::GUARD_BITS,  // bits of an aligned element
  parameter int W        = InW + 13,                    // bits of a rotated element
  parameter int Outer    = 1,
  parameter int Cut      = fpsim_pkg::HADAMARD_CUT,
  parameter int MaxBeats = 144                          // of a row
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             enable_i,
  input  logic [N-1:0]     signs_i,
  input  logic             x_valid_i,
  input  logic [N*InW-1:0] x_i,
  input  logic             second_i,
  input  logic [6:0]       points_i,
  input  logic [1:0]       base_i,
  input  logic             beat_valid_i,
  output logic             beat_ready_o,
  input  logic [N*W-1:0]   beat_i,
  output logic             y_valid_o,
  output logic [N*W-1:0]   y_o
);

  localparam int INNER_W = InW + $clog2(N);

  logic                 inner_valid, unused_ready;
  logic [N*INNER_W-1:0] inner;
  logic [N*W-1:0]       inner_wide;

  fpsim_hadamard #(.N(N), .InW(InW), .Cut(Cut)) u_hadamard (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .enable_i   (enable_i),
    .signs_i    (signs_i),
    .in_valid_i (x_valid_i),
    .in_ready_o (unused_ready),
    .x_i        (x_i),
    .out_valid_o(inner_valid),
    .out_ready_i(1'b1),
    .y_o        (inner)
  );

  for (genvar i = 0; i < N; i++) begin : gen_wide
    assign inner_wide[i*W +: W] = W'($signed(inner[i*INNER_W +: INNER_W]));
  end

  if (Outer != 0) begin : gen_outer
    localparam int AT_W = $clog2(MaxBeats);
    logic               outer_valid, unused_growth;
    logic [N*(W+6)-1:0] outer;
    logic [N*W-1:0]     outer_low;

    fpsim_hadamard_outer #(.Lanes(N), .InW(W), .MaxBeats(MaxBeats)) u_outer (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .base_i     (second_i ? base_i : 2'd0),
      .points_i   (points_i),
      .stride_i   (second_i && points_i > 7'd1 ? AT_W'(points_i) : AT_W'(1)),
      .in_valid_i (beat_valid_i),
      .in_ready_o (beat_ready_o),
      .x_i        (beat_i),
      .out_valid_o(outer_valid),
      .out_ready_i(1'b1),
      .y_o        (outer)
    );

    for (genvar i = 0; i < N; i++) begin : gen_low
      assign outer_low[i*W +: W] = outer[i*(W+6) +: W];  // no block is so large that the rest says more
    end

    assign unused_growth = ^outer;
    assign y_valid_o     = inner_valid || outer_valid;
    assign y_o           = inner_valid ? inner_wide : outer_low;
  end else begin : gen_no_outer
    logic unused_outer;
    assign unused_outer = ^{second_i, points_i, base_i, beat_valid_i, beat_i};
    assign beat_ready_o = 1'b1;
    assign y_valid_o    = inner_valid;
    assign y_o          = inner_wide;
  end

endmodule

`default_nettype wire
