// Quantizer of the row path: symmetric 4-bit formats one beat per cycle, all else by division; and the sum of a row's codes.
//
//   h ─┬─► quantizer ──────┬─► low: codes, or low nibbles
//      └─► wide_quantizer ─┴─► high: high nibbles of INT6 and INT8, else 0 (asymmetric INT4: sign bits)
//                          └─► values of the codes, lanes beyond K to 0 ─► row_sum
//
// amp_i, fmt_i (a format that is built in), asymmetric_i and zero_i belong to the row. Rounding to nearest.
// out_first_i, out_last_i: the beat that leaves is the row's first, its last. sum_o: one cycle after the row's last beat.
// Latency: 1, by division 11. Throughput: one beat in as many cycles; the result does not wait.
// Overflow: magnitudes above the amplitude give the largest level. Python twins: fpsim/arith/quantizer.py,
// integer_quantizer.py, zero_sums.py.

`default_nettype none

module fpsim_row_quantizer #(
  parameter int N       = fpsim_pkg::HADAMARD_N,                                       // integers per beat
  parameter int W       = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N),  // bits of a rotated element
  parameter int Formats = fpsim_pkg::FORMATS,
  parameter int Wide    = 1,                                                           // 1: INT6 and INT8 too
  parameter int Zeros   = 1                                                            // 1: zero points too
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              in_valid_i,
  output logic                              in_ready_o,
  input  logic [N*W-1:0]                    h_i,
  input  logic [W:0]                        amp_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] fmt_i,
  input  logic                              asymmetric_i,
  input  logic [7:0]                        zero_i,
  input  logic                              out_first_i,
  input  logic                              out_last_i,
  input  logic [$clog2(N)-1:0]              highest_i,  // last lane of the row's last beat
  output logic                              out_valid_o,
  output logic [N*fpsim_pkg::CODE_W-1:0]    low_o,
  output logic [N*fpsim_pkg::CODE_W-1:0]    high_o,
  output logic [20:0]                       sum_o       // 0 without zero points
);

  localparam int CODE_W = fpsim_pkg::CODE_W;

  logic                divide;  // which of the two
  logic                narrow_ready, narrow_valid, wide_ready, wide_valid;
  logic [N*CODE_W-1:0] codes, low, high;

  assign divide      = Wide != 0 && (fmt_i > fpsim_row_pkg::QUANT_INT4 || asymmetric_i);
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
    .amp_i      (amp_i[W-1:0]),
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
      .amp_i       (amp_i),
      .format_i    (fmt_i),
      .asymmetric_i(asymmetric_i),
      .zero_i      (zero_i),
      .stochastic_i(1'b0),
      .random_i    ({(2*N){1'b0}}),
      .out_valid_o (wide_valid),
      .out_ready_i (1'b1),
      .high_o      (high),
      .low_o       (low)
    );
  end else begin : gen_narrow
    logic unused_zero;
    assign unused_zero = ^{amp_i[W], zero_i};
    assign {wide_ready, wide_valid, low, high} = '0;
  end

  if (Zeros != 0) begin : gen_sum
    logic [N*8-1:0]      values, counted;
    logic [N*CODE_W-1:0] sum_high, sum_low;

    for (genvar i = 0; i < N; i++) begin : gen_value
      logic                          neg;
      logic [fpsim_pkg::SIG_W-1:0]   sig;
      logic [fpsim_pkg::SHIFT_W-1:0] shift;
      logic [7:0]                    magnitude;

      fpsim_decode #(.Formats(Formats)) u_decode (
        .code_i (codes[i*CODE_W +: CODE_W]),
        .fmt_i  (fmt_i[fpsim_pkg::FMT_W-1:0]),
        .low_i  (1'b0),
        .neg_o  (neg),
        .sig_o  (sig),
        .shift_o(shift)
      );
      assign magnitude           = 8'(sig) << shift;
      assign values[i*8 +: 8]    = divide ? {high[i*4 +: 4], low[i*4 +: 4]} : neg ? -magnitude : magnitude;
      assign sum_high[i*4 +: 4]  = counted[i*8+4 +: 4];
      assign sum_low[i*4 +: 4]   = counted[i*8 +: 4];
    end

    fpsim_lane_mask #(.Lanes(N), .W(8)) u_mask (
      .en_i     (out_last_i),
      .highest_i(highest_i),
      .x_i      (values),
      .x_o      (counted)
    );

    fpsim_row_sum #(.Lanes(N), .DepthW(13)) u_sum (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .en_i   (out_valid_o),
      .first_i(out_first_i),
      .high_i (sum_high),
      .low_i  (sum_low),
      .sum_o  (sum_o)
    );
  end else begin : gen_no_sum
    logic unused_place;
    assign unused_place = ^{out_first_i, out_last_i, highest_i};
    assign sum_o = '0;
  end

endmodule

`default_nettype wire
