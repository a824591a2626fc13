// Whether a layer's configuration is legal: the number of the first thing that is not, or 0.
//
//   1 M   2 N   3 K   4 K is no multiple of the rotation's block   5 activation format   6 weight format
//   7 static exponent   8 static amplitude   13 zero points of the rows   14 zero points of the weights
//   15 outer rotation
//
// Latency: combinational. Throughput: one configuration. Overflow: none.
// Python twin: fpsim/array/top.py (check).

`default_nettype none

module fpsim_top_check #(
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int Outer     = 1,  // 1: rotations across beats too
  parameter int KMax      = 4608
) (
  input  logic [31:0]                  m_i,
  input  logic [31:0]                  n_i,
  input  logic [31:0]                  k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] a_fmt_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] b_fmt_i,
  input  logic [3:0]                   recipe_i,
  input  logic [24:0]                  outer_i,  // {blocks, base, points}
  input  logic [31:0]                  exp_i,
  input  logic [31:0]                  amp_i,
  input  logic [31:0]                  zero_i,
  output logic [7:0]                   error_o
);

  localparam logic [31:0] LARGEST_DIM = 32'd65535;  // of M and N
  localparam int          ALIGN_W     = 11 + GuardBits;                // an aligned magnitude
  localparam int          SIG_W       = 1 + fpsim_pkg::TF32_MAN_W;     // significant bits of an amplitude

  localparam logic [31:0] LARGEST_SUM = 32'd8191;                      // elements of a row with zero points

  // INT6 and INT8 go through the array as nibbles: with INT4, in accumulators that wrap.
  function automatic logic built_in(input logic [fpsim_row_pkg::QUANT_W-1:0] fmt);
    built_in = fpsim_pkg::has_format(Formats, fmt[fpsim_pkg::FMT_W-1:0]);
    if (fmt > fpsim_row_pkg::QUANT_INT4) built_in = Wide != 0 && fmt <= fpsim_row_pkg::QUANT_INT8;
  endfunction

  logic [31:0] lowest;  // lowest 1 of the amplitude
  logic [39:0] limit;   // what it stays below
  logic        amp_legal, zero_legal, zeros_legal;
  logic [31:0] half;           // codes below 0
  logic        b_asymmetric, a_asymmetric, is_static, rotate;

  assign {b_asymmetric, a_asymmetric, is_static, rotate} = recipe_i;
  assign lowest    = amp_i & (~amp_i + 32'd1);
  assign amp_legal = amp_i != '0 && 40'(amp_i) < limit && (amp_i >> SIG_W) < lowest;

  // Rotation: blocks of HadamardN, times the points of Sylvester's matrix, times 12 or 36; whole ones make a row.
  logic [15:0] blocks;
  logic [1:0]  base;
  logic [6:0]  points;
  logic [39:0] order, block;
  logic        across, whole;

  assign {blocks, base, points} = outer_i;
  assign across = {base, points} != '0;
  assign order  = base == 2'd1 ? 40'd12 : base == 2'd2 ? 40'd36 : 40'd1;
  assign block  = order * 40'(HadamardN) * (points == '0 ? 40'd1 : 40'(points));
  assign whole  = across ? block * 40'(blocks) == 40'(k_i) : (k_i & 32'(HadamardN - 1)) == '0;
  assign limit  = (rotate ? block << ALIGN_W : 40'd1 << ALIGN_W) << a_asymmetric;

  // Integers have zero points; the static one is a code.
  function automatic logic integer_format(input logic [fpsim_row_pkg::QUANT_W-1:0] fmt);
    integer_format = fmt >= fpsim_row_pkg::QUANT_INT4;
  endfunction

  assign half        = a_fmt_i == fpsim_row_pkg::QUANT_INT8 ? 32'd128 : a_fmt_i == fpsim_row_pkg::QUANT_INT6 ? 32'd32 : 32'd8;
  assign zero_legal  = !is_static || zero_i + half < half << 1;
  assign zeros_legal = Zeros != 0 && k_i <= LARGEST_SUM;

  always_comb begin
    error_o = 8'd0;
    if (rotate && across && (Outer == 0 || base == 2'd3 || points > 7'd64 || (points & (points - 7'd1)) != '0)) error_o = 8'd15;
    if (b_asymmetric && !(zeros_legal && integer_format(b_fmt_i))) error_o = 8'd14;
    if (a_asymmetric && !(zeros_legal && integer_format(a_fmt_i) && zero_legal)) error_o = 8'd13;
    if (is_static && !amp_legal)                           error_o = 8'd8;
    if (is_static && (exp_i < 32'd1 || exp_i > 32'd30))    error_o = 8'd7;
    if (!built_in(b_fmt_i))                                error_o = 8'd6;
    if (!built_in(a_fmt_i))                                error_o = 8'd5;
    if (rotate && !whole)                                  error_o = 8'd4;
    if (k_i == '0 || k_i > 32'(KMax))                      error_o = 8'd3;
    if (n_i == '0 || n_i > LARGEST_DIM)                    error_o = 8'd2;
    if (m_i == '0 || m_i > LARGEST_DIM)                    error_o = 8'd1;
  end

endmodule

`default_nettype wire
