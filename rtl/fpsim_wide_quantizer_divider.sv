// One lane's divider of fpsim_wide_quantizer: x = top * |h| / A, one bit per cycle.
//
//   load   top * |h| = hhh...hhh | bbbbbbbb       remainder: all above the lowest 8 bits, below A where |h| < A
//   step   {remainder, next bit} - A where it fits: a 1 of x; else a 0. 8 bits above the point, RandomBits below
//
//   top       E2M1 12   E3M0 64   E1M2 7   INT4, 6, 8: 7, 31, 127; with a zero point 15, 63, 255
//   = 2^s     8 + 4     64        8 - 1    2^s - 1
//
// Latency: 8 + RandomBits steps after the load. Throughput: one integer in as many cycles and one.
// Overflow: |h| >= A is flagged, quotient_o is then not valid. Registers are not reset.
// Python twin: fpsim/arith/stochastic_quantizer.py.

`default_nettype none

module fpsim_wide_quantizer_divider #(
  parameter int W          = 21,  // bits of an integer
  parameter int RandomBits = 8    // places of x below the point
) (
  input  logic                    clk_i,
  input  logic                    load_i,
  input  logic                    step_i,
  input  logic signed [W-1:0]     h_i,
  input  logic [W:0]              amp_i,         // with the load
  input  logic [2:0]              format_i,
  input  logic                    asymmetric_i,
  input  logic [RandomBits-1:0]   random_i,      // waits here for the rounding
  input  logic [W:0]              amp_q_i,       // with the steps
  output logic [8+RandomBits-1:0] quotient_o,
  output logic                    rest_o,        // x has places below quotient_o
  output logic                    negative_o,
  output logic                    above_o,       // |h| >= A
  output logic [RandomBits-1:0]   random_o
);

  localparam int STEPS       = 8 + RandomBits;
  localparam int REMAINDER_W = W + 1;  // below A
  localparam int SCALED_W    = W + 8;  // top * |h|

  // ---------------------------------
  // top * |h|
  // ---------------------------------
  logic                       negative;
  logic [W-1:0]               absolute;  // up to 2^(W-1)
  logic [3:0]                 shift;
  logic signed [SCALED_W-1:0] magnitude, extra, scaled;

  assign negative  = h_i[W-1];
  assign absolute  = (h_i ^ {W{negative}}) + W'(negative);
  assign magnitude = SCALED_W'(absolute);

  always_comb begin
    case (format_i)
      fpsim_row_pkg::QUANT_E3M0: shift = 4'd6;
      fpsim_row_pkg::QUANT_INT4: shift = 4'd3 + 4'(asymmetric_i);
      fpsim_row_pkg::QUANT_INT6: shift = 4'd5 + 4'(asymmetric_i);
      fpsim_row_pkg::QUANT_INT8: shift = 4'd7 + 4'(asymmetric_i);
      default:                   shift = 4'd3;
    endcase
    case (format_i)
      fpsim_row_pkg::QUANT_E2M1: extra = magnitude << 2;
      fpsim_row_pkg::QUANT_E3M0: extra = '0;
      default:                   extra = -magnitude;
    endcase
  end

  assign scaled = (magnitude << shift) + extra;

  // ---------------------------------
  // Division: quotient bits come in where dividend bits leave
  // ---------------------------------
  logic [REMAINDER_W-1:0] remainder_d, remainder_q;
  logic [STEPS-1:0]       bits_d, bits_q;
  logic [REMAINDER_W:0]   brought;
  logic [REMAINDER_W-1:0] difference;  // of a brought below 2*A
  logic                   fits;
  logic                   negative_q, above_q;
  logic [RandomBits-1:0]  random_q;

  assign brought    = {remainder_q, bits_q[STEPS-1]};
  assign difference = brought[REMAINDER_W-1:0] - amp_q_i;
  assign fits       = brought >= {1'b0, amp_q_i};

  always_comb begin
    if (load_i) begin
      remainder_d = {1'b0, scaled[SCALED_W-1:8]};
      bits_d      = {scaled[7:0], {RandomBits{1'b0}}};
    end else begin
      remainder_d = fits ? difference : brought[REMAINDER_W-1:0];
      bits_d      = {bits_q[STEPS-2:0], fits};
    end
  end

  always_ff @(posedge clk_i) begin
    if (load_i || step_i) begin
      remainder_q <= remainder_d;
      bits_q      <= bits_d;
    end
    if (load_i) begin
      negative_q <= negative;
      above_q    <= {1'b0, absolute} >= amp_i;
      random_q   <= random_i;
    end
  end

  assign quotient_o = bits_q;
  assign rest_o     = |remainder_q;
  assign negative_o = negative_q;
  assign above_o    = above_q;
  assign random_o   = random_q;

endmodule

`default_nettype wire
