// Operand decoder: a 4-bit code of the selected format becomes sign, significand and shift.
//
//   value = (-1)^neg * sig * 2^shift, in units of the format's smallest step
//
//            code           neg  sig            shift
//   E2M1     s e e m         s   {e != 0, m}    e - 1 (0 for e = 0)
//   E3M0     s e e e         s   {e != 0}       e - 1 (0 for e = 0)
//   E1M2     s x x x         s   {x x x}        0
//   INT4     two's compl.    s   magnitude      0            (sig 0 .. 8)
//   low nibble   x x x x     0   {x x x x}      0            (sig 0 .. 15)
//
// Latency: combinational. Throughput: one code. Overflow: none.
// low_i: the code is the low nibble of a wider integer, unsigned; it counts with INT4 alone.
// A format that the mask Formats leaves out decodes to 0. -0 keeps neg = 1 with sig = 0.
// Python twin: fpsim/arith/decode.py.

`default_nettype none

module fpsim_decode #(
  parameter int Formats = fpsim_pkg::FORMATS  // bit f: selector f is built in
) (
  input  logic [fpsim_pkg::CODE_W-1:0]  code_i,
  input  logic [fpsim_pkg::FMT_W-1:0]   fmt_i,
  input  logic                          low_i,
  output logic                          neg_o,
  output logic [fpsim_pkg::SIG_W-1:0]   sig_o,
  output logic [fpsim_pkg::SHIFT_W-1:0] shift_o
);

  localparam logic HAS_E2M1 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_E2M1);
  localparam logic HAS_E3M0 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_E3M0);
  localparam logic HAS_E1M2 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_E1M2);
  localparam logic HAS_INT4 = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4);

  // Fields as each format sees them.
  logic       sign;
  logic [1:0] e2m1_exp;
  logic       e2m1_man;
  logic [2:0] e3m0_exp;
  logic [2:0] e1m2_sig;
  logic       negative;   // INT4 and not a low nibble
  logic [3:0] magnitude;  // INT4: 8 needs the fourth bit, a low nibble all
  logic       unused_low; // where INT4 is not built in

  assign sign      = code_i[3];
  assign e2m1_exp  = code_i[2:1];
  assign e2m1_man  = code_i[0];
  assign e3m0_exp  = code_i[2:0];
  assign e1m2_sig  = code_i[2:0];
  assign negative  = sign && !low_i;
  assign magnitude = negative ? ~code_i + 4'd1 : code_i;
  assign unused_low = low_i;

  always_comb begin
    neg_o   = 1'b0;
    sig_o   = '0;
    shift_o = '0;
    if (HAS_E2M1 && fmt_i == fpsim_pkg::FMT_E2M1) begin
      neg_o   = sign;
      sig_o   = {2'b0, |e2m1_exp, e2m1_man};
      shift_o = {1'b0, &e2m1_exp, e2m1_exp == 2'd2};  // 0 0 1 2
    end
    if (HAS_E3M0 && fmt_i == fpsim_pkg::FMT_E3M0) begin
      neg_o   = sign;
      sig_o   = {3'b0, |e3m0_exp};
      shift_o = (|e3m0_exp) ? e3m0_exp - 3'd1 : 3'd0;
    end
    if (HAS_E1M2 && fmt_i == fpsim_pkg::FMT_E1M2) begin
      neg_o = sign;
      sig_o = {1'b0, e1m2_sig};
    end
    if (HAS_INT4 && fmt_i == fpsim_pkg::FMT_INT4) begin
      neg_o = negative;
      sig_o = magnitude;
    end
  end

endmodule

`default_nettype wire
