// Zero point of a row: the code that stands for 0.
//
//   z = RNE(n * (-low) / D) - 2^(b-1),  n = 2^b - 1,  D the row's span;  D = 0: -2^(b-1)
//
// One divider, one bit per cycle: 8 bits above the point, one below, then the rounding sees half and remainder.
// low_i: smallest integer of the row, 0 or below; span_i: amplitude of largest minus smallest (fpsim_row_scale), so that
// n * (-low) / D rounds to n at most. format_i: 3 INT4, 4 INT6, 5 INT8.
// Latency: 10. Throughput: one row in 10 cycles; waits while the zero point waits.
// Overflow: none for such rows. Data registers are not reset. Python twin: fpsim/arith/integer_quantizer.py.

`default_nettype none

module fpsim_zero_point #(
  parameter int W = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N)  // bits of a rotated element
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] low_i,
  input  logic [W:0]   span_i,
  input  logic [2:0]   format_i,
  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [7:0]   zero_o
);

  localparam int STEPS    = 9;
  localparam int STEP_W   = 4;
  localparam int SCALED_W = W + 8;  // n * (-low), up to 255 * 2^(W-1)

  // ---------------------------------
  // Control: empty, or steps to go, or the zero point waiting
  // ---------------------------------
  logic              busy_d, busy_q;
  logic [STEP_W-1:0] left_d, left_q;
  logic              load, step, done;

  assign done        = busy_q && left_q == '0;
  assign step        = busy_q && left_q != '0;
  assign in_ready_o  = !busy_q || (done && out_ready_i);
  assign out_valid_o = done;
  assign load        = in_valid_i && in_ready_o;

  assign busy_d = load || (busy_q && !(done && out_ready_i));
  assign left_d = load ? STEP_W'(STEPS) : left_q - STEP_W'(step);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      left_q <= '0;
    end else begin
      busy_q <= busy_d;
      left_q <= left_d;
    end
  end

  // ---------------------------------
  // n * (-low)
  // ---------------------------------
  logic [W-1:0]        depth;  // -low
  logic [SCALED_W-1:0] depth_wide, raised, scaled;

  assign depth      = ~low_i + W'(1);
  assign depth_wide = SCALED_W'(depth);
  assign raised     = format_i == fpsim_row_pkg::QUANT_INT8 ? depth_wide << 8
                    : format_i == fpsim_row_pkg::QUANT_INT6 ? depth_wide << 6 : depth_wide << 4;
  assign scaled     = raised - depth_wide;

  // ---------------------------------
  // Division. Where -low passes D by its rounding the remainder starts within D all the same: 255/256 of -low
  // ---------------------------------
  logic [W:0]       remainder_d, remainder_q, span_q, difference;
  logic [W+1:0]     brought;
  logic [STEPS-1:0] bits_d, bits_q;
  logic [2:0]       format_q;
  logic             fits;

  assign brought    = {remainder_q, bits_q[STEPS-1]};
  assign difference = brought[W:0] - span_q;
  assign fits       = brought >= {1'b0, span_q} && span_q != '0;

  always_comb begin
    if (load) begin
      remainder_d = {1'b0, scaled[SCALED_W-1:8]};
      bits_d      = {scaled[7:0], 1'b0};
    end else begin
      remainder_d = fits ? difference : brought[W:0];
      bits_d      = {bits_q[STEPS-2:0], fits};
    end
  end

  always_ff @(posedge clk_i) begin
    if (load || step) begin
      remainder_q <= remainder_d;
      bits_q      <= bits_d;
    end
    if (load) begin
      span_q   <= span_i;
      format_q <= format_i;
    end
  end

  // ---------------------------------
  // Round; code of 8 bits in two's complement
  // ---------------------------------
  logic [7:0] rounded, half_range;

  assign rounded    = bits_q[8:1] + 8'(bits_q[0] && ((|remainder_q) || bits_q[1]));
  assign half_range = format_q == fpsim_row_pkg::QUANT_INT8 ? 8'd128
                    : format_q == fpsim_row_pkg::QUANT_INT6 ? 8'd32 : 8'd8;
  assign zero_o     = rounded - half_range;

endmodule

`default_nettype wire
