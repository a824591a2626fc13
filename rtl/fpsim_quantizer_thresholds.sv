// Thresholds of a beat: the smallest scaled magnitudes that reach each level.
//
// The contract counts the i with 2*l_7*|h| > (l_i + l_(i+1))*A, or equal where the tie goes up. With
// 2*l_7 = odd * 2^shift this is odd*|h| >= threshold_i, so that a lane needs one comparison and no equality:
//
//   threshold_i = floor(((l_i + l_(i+1))*A + 2^shift - tie_up_i) / 2^shift)
//
//          2*l_7   odd   shift   l_i + l_(i+1)
//   E2M1     24     3      3     1 3 5 7 10 14 20
//   E3M0    128     1      7     1 3 6 12 24 48 96
//   E1M2     14     7      1     1 3 5 7 9 11 13       (INT4 the same)
//
// A = 0, or a threshold beyond ScaledW bits: all ones, which no odd*|h| reaches.
// Latency: combinational. Throughput: one beat; shared by all lanes. Overflow: clamps to all ones.
// fmt_i: a built-in format. Python twin: fpsim/arith/quantizer.py.

`default_nettype none

module fpsim_quantizer_thresholds #(
  parameter int W       = 21,                  // bits of the amplitude
  parameter int ScaledW = 23,                  // bits of odd*|h|
  parameter int Formats = fpsim_pkg::FORMATS  // bit f: selector f is built in
) (
  input  logic [W-1:0]                                  amp_i,
  input  logic [fpsim_pkg::FMT_W-1:0]                   fmt_i,
  output logic [(fpsim_pkg::LEVEL_COUNT-1)*ScaledW-1:0] thresholds_o  // threshold i at [i*ScaledW +: ScaledW]
);

  localparam int LEVEL_COUNT = fpsim_pkg::LEVEL_COUNT;
  localparam int LEVEL_W     = fpsim_pkg::LEVEL_W;
  localparam int SUM_W       = LEVEL_W + 1;  // l_i + l_(i+1)
  localparam int FULL_W      = W + SUM_W;    // times A, plus 2^shift

  // Tables in the order of the selectors: E2M1, E3M0, E1M2 and INT4 (equal, built once).
  localparam int TABLES = 3;
  localparam logic [TABLES*LEVEL_COUNT*LEVEL_W-1:0] LEVELS =
      {fpsim_pkg::LEVELS_E1M2, fpsim_pkg::LEVELS_E3M0, fpsim_pkg::LEVELS_E2M1};
  localparam logic [TABLES*(LEVEL_COUNT-1)-1:0] TIE_UP =
      {fpsim_pkg::TIE_UP_E1M2, fpsim_pkg::TIE_UP_E3M0, fpsim_pkg::TIE_UP_E2M1};

  // ---------------------------------
  // Format
  // ---------------------------------
  logic [TABLES-1:0] selected;

  assign selected[0] = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_E2M1);
  assign selected[1] = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_E3M0);
  assign selected[2] = fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_E1M2)
                    || fpsim_pkg::is_format(Formats, fmt_i, fpsim_pkg::FMT_INT4);

  // ---------------------------------
  // Odd multiples of A, shared by the formats: odd_multiple[k] = (2k+1)*A
  // ---------------------------------
  localparam int ODD_COUNT = 7;  // up to 13*A

  logic [FULL_W-1:0] amp;
  logic [FULL_W-1:0] odd_multiple [0:ODD_COUNT-1];

  assign amp             = FULL_W'(amp_i);
  assign odd_multiple[0] = amp;
  assign odd_multiple[1] = amp + (amp << 1);
  assign odd_multiple[2] = amp + (amp << 2);
  assign odd_multiple[3] = (amp << 3) - amp;
  assign odd_multiple[4] = amp + (amp << 3);
  assign odd_multiple[5] = odd_multiple[1] + (amp << 3);
  assign odd_multiple[6] = odd_multiple[2] + (amp << 3);

  // ---------------------------------
  // Thresholds
  // ---------------------------------
  logic zero_amp;

  assign zero_amp = ~|amp_i;

  for (genvar i = 0; i < LEVEL_COUNT - 1; i++) begin : gen_threshold
    logic [FULL_W-1:0] candidate [0:TABLES-1];
    logic [FULL_W-1:0] threshold;
    logic              unreachable;

    for (genvar t = 0; t < TABLES; t++) begin : gen_table
      localparam int FIRST = t * LEVEL_COUNT;  // the table's l_0
      localparam int SUM   = 32'(LEVELS[(FIRST+i)*LEVEL_W +: LEVEL_W]) + 32'(LEVELS[(FIRST+i+1)*LEVEL_W +: LEVEL_W]);
      localparam int ZEROS = fpsim_pkg::trailing_zeros(SUM);
      localparam int SHIFT = fpsim_pkg::trailing_zeros(2 * 32'(LEVELS[(FIRST+LEVEL_COUNT-1)*LEVEL_W +: LEVEL_W]));
      localparam int ROUND = (1 << SHIFT) - 32'(TIE_UP[t*(LEVEL_COUNT-1)+i]);

      logic [FULL_W-1:0] bound;
      assign bound        = (odd_multiple[SUM>>(ZEROS+1)] << ZEROS) + FULL_W'(ROUND);
      assign candidate[t] = bound >> SHIFT;
    end

    assign threshold   = (candidate[0] & {FULL_W{selected[0]}})
                       | (candidate[1] & {FULL_W{selected[1]}})
                       | (candidate[2] & {FULL_W{selected[2]}});
    assign unreachable = zero_amp || (|threshold[FULL_W-1:ScaledW]);
    assign thresholds_o[i*ScaledW +: ScaledW] = threshold[ScaledW-1:0] | {ScaledW{unreachable}};
  end

endmodule

`default_nettype wire
