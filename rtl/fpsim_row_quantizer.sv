// Quantizer of the row path: 4-bit formats one beat per cycle, INT6 and INT8 by division.
//
//   h ─┬─► quantizer ──────┬─► low: codes, or low nibbles
//      └─► wide_quantizer ─┴─► high: high nibbles of INT6 and INT8, else 0
//
// amp_i and fmt_i (a format that is built in) belong to the row. Rounding to nearest.
// Latency: 1, of INT6 and INT8 11. Throughput: one beat in as many cycles; the result does not wait.
// Overflow: magnitudes above the amplitude give the largest level. Python twins: fpsim/arith/quantizer.py,
// integer_quantizer.py.

`default_nettype none

module fpsim_row_quantizer #(
  parameter int N       = fpsim_pkg::HADAMARD_N,                                       // integers per beat
  parameter int W       = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of a rotated element
  parameter int Formats = fpsim_pkg::FORMATS,
  parameter int Wide    = 1                                                            // 1: INT6 and INT8 too
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              in_valid_i,
  output logic                              in_ready_o,
  input  logic [N*W-1:0]                    h_i,
  input  logic [W-1:0]                      amp_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] fmt_i,
  output logic                              out_valid_o,
  output logic [N*fpsim_pkg::CODE_W-1:0]    low_o,
  output logic [N*fpsim_pkg::CODE_W-1:0]    high_o
);

  localparam int CODE_W = fpsim_pkg::CODE_W;

  logic                divide;  // which of the two
  logic                narrow_ready, narrow_valid, wide_ready, wide_valid;
  logic [N*CODE_W-1:0] codes, low, high;

  assign divide      = Wide != 0 && fmt_i > fpsim_row_pkg::QUANT_INT4;
  assign in_ready_o  = divide ? wide_ready : narrow_ready;
  assign out_valid_o = narrow_valid || wide_valid;
  assign low_o       = divide ? low : codes;
  assign high_o      = divide ? high : '0;

  fpsim_quantizer #(
    .Lanes  (N),
    .W      (W),
    .Formats(Formats)
  ) u_quantizer (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i && !divide),
    .in_ready_o (narrow_ready),
    .h_i        (h_i),
    .amp_i      (amp_i),
    .fmt_i      (fmt_i[fpsim_pkg::FMT_W-1:0]),
    .out_valid_o(narrow_valid),
    .out_ready_i(1'b1),
    .codes_o    (codes)
  );

  if (Wide != 0) begin : gen_wide
    // Rounding to nearest needs one place below the point beside the rest; the unit's shift of what is below it needs two.
    fpsim_wide_quantizer #(
      .Lanes     (N),
      .W         (W),
      .RandomBits(2)
    ) u_quantizer (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .in_valid_i  (in_valid_i && divide),
      .in_ready_o  (wide_ready),
      .h_i         (h_i),
      .amp_i       ({1'b0, amp_i}),
      .format_i    (fmt_i),
      .asymmetric_i(1'b0),
      .zero_i      (8'd0),
      .stochastic_i(1'b0),
      .random_i    ('0),
      .out_valid_o (wide_valid),
      .out_ready_i (1'b1),
      .high_o      (high),
      .low_o       (low)
    );
  end else begin : gen_narrow
    assign {wide_ready, wide_valid, low, high} = '0;
  end

endmodule

`default_nettype wire
