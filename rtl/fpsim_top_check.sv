// Whether a layer's configuration is legal: the number of the first thing that is not, or 0.
//
//   1 M   2 N   3 K   4 K is no multiple of the rotation's block   5 activation format   6 weight format
//   7 static exponent   8 static amplitude
//
// Latency: combinational. Throughput: one configuration. Overflow: none.
// Python twin: fpsim/array/top.py (check).

`default_nettype none

module fpsim_top_check #(
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Saturate  = fpsim_pkg::SATURATE,
  parameter int KMax      = 4608
) (
  input  logic [31:0]                  m_i,
  input  logic [31:0]                  n_i,
  input  logic [31:0]                  k_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] a_fmt_i,
  input  logic [fpsim_row_pkg::QUANT_W-1:0] b_fmt_i,
  input  logic                         rotate_i,
  input  logic                         static_i,
  input  logic [31:0]                  exp_i,
  input  logic [31:0]                  amp_i,
  output logic [7:0]                   error_o
);

  localparam logic [31:0] LARGEST_DIM = 32'd65535;  // of M and N
  localparam int          ALIGN_W     = 11 + GuardBits;                // an aligned magnitude
  localparam int          ROTATED_W   = ALIGN_W + $clog2(HadamardN);   // of a rotated block
  localparam int          SIG_W       = 1 + fpsim_pkg::TF32_MAN_W;     // significant bits of an amplitude

  localparam logic        WIDE        = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4) && Saturate == 0;

  // INT6 and INT8 go through the array as nibbles: with INT4, in accumulators that wrap.
  function automatic logic built_in(input logic [fpsim_row_pkg::QUANT_W-1:0] fmt);
    built_in = fpsim_pkg::has_format(Formats, fmt[fpsim_pkg::FMT_W-1:0]);
    if (fmt > fpsim_row_pkg::QUANT_INT4) built_in = WIDE && fmt <= fpsim_row_pkg::QUANT_INT8;
  endfunction

  logic [31:0] lowest, limit;  // lowest 1 of the amplitude; what it stays below
  logic        amp_legal;

  assign lowest    = amp_i & (~amp_i + 32'd1);
  assign limit     = rotate_i ? 32'd1 << ROTATED_W : 32'd1 << ALIGN_W;
  assign amp_legal = amp_i != '0 && amp_i < limit && (amp_i >> SIG_W) < lowest;

  always_comb begin
    error_o = 8'd0;
    if (static_i && !amp_legal)                            error_o = 8'd8;
    if (static_i && (exp_i < 32'd1 || exp_i > 32'd30))     error_o = 8'd7;
    if (!built_in(b_fmt_i))                                error_o = 8'd6;
    if (!built_in(a_fmt_i))                                error_o = 8'd5;
    if (rotate_i && (k_i & 32'(HadamardN - 1)) != '0)      error_o = 8'd4;
    if (k_i == '0 || k_i > 32'(KMax))                      error_o = 8'd3;
    if (n_i == '0 || n_i > LARGEST_DIM)                    error_o = 8'd2;
    if (m_i == '0 || m_i > LARGEST_DIM)                    error_o = 8'd1;
  end

endmodule

`default_nettype wire
