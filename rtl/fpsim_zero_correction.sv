// Zero points out of a row of accumulators, exactly, before the epilogue's one rounding.
//
//   sum = acc - z_w * (row_sum - K * z_a) - z_a * col_sum       = sum over k of (a - z_a)(w - z_w)
//
//   stage 0   t = row_sum - K * z_a, once a row;   per lane acc - z_a * col_sum
//   stage 1   per lane z_w * t
//   stage 2   the difference
//
// acc_i as the accumulator holds it (wrapped); row_sum_i, act_zero_i (8 bits), depth_i = K of the row; col_sum_i,
// weight_zero_i (16 bits) of the column. All signed but K.
// Latency: 3. Throughput: one row of Lanes channels per cycle; stalls while the sums wait.
// Overflow: none, OutW holds every sum. Data registers are not reset. Python twin: fpsim/arith/zero_sums.py.

`default_nettype none

module fpsim_zero_correction #(
  parameter int Lanes  = fpsim_pkg::COLS,                // output channels per row
  parameter int AccW   = fpsim_pkg::ACC_W,               // accumulator width, 9 to 40
  parameter int DepthW = 13,                             // bits of K
  parameter int OutW   = 2 + (AccW > 38 ? AccW : 38)  // of DepthW up to 13: two terms below 2^37 beside acc
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Lanes*AccW-1:0]     acc_i,
  input  logic [8+DepthW-1:0]       row_sum_i,
  input  logic [7:0]                act_zero_i,
  input  logic [DepthW-1:0]         depth_i,
  input  logic [Lanes*(8+DepthW)-1:0] col_sum_i,
  input  logic [Lanes*16-1:0]       weight_zero_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutW-1:0]     sum_o
);

  localparam int STAGES = 3;
  localparam int SUM_W  = 8 + DepthW;
  localparam int T_W    = SUM_W + 1;  // |t| up to 255 * K

  logic [STAGES-1:0] load;

  fpsim_pipeline_control #(
    .Stages(STAGES)
  ) u_control (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .load_o     (load)
  );

  // ---------------------------------
  // Stage 0, of the row
  // ---------------------------------
  logic signed [SUM_W-1:0] row_sum;
  logic signed [7:0]       act_zero;
  logic signed [DepthW:0]  depth;
  logic signed [T_W-1:0]   t_d, t_q;

  assign row_sum  = row_sum_i;
  assign act_zero = act_zero_i;
  assign depth    = {1'b0, depth_i};
  assign t_d      = T_W'(row_sum) - T_W'(depth) * T_W'(act_zero);

  always_ff @(posedge clk_i) begin
    if (load[0]) t_q <= t_d;
  end

  // ---------------------------------
  // Lanes
  // ---------------------------------
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic signed [AccW-1:0]  acc;
    logic signed [SUM_W-1:0] col_sum;
    logic signed [OutW-1:0]  rest_d, rest_q, rest_q2, product_d, product_q2, sum_d, sum_q3;
    logic signed [15:0]      weight_zero_q;

    assign acc       = acc_i[i*AccW +: AccW];
    assign col_sum   = col_sum_i[i*SUM_W +: SUM_W];
    assign rest_d    = OutW'(acc) - OutW'(act_zero) * OutW'(col_sum);
    assign product_d = OutW'(weight_zero_q) * OutW'(t_q);
    assign sum_d     = rest_q2 - product_q2;

    always_ff @(posedge clk_i) begin
      if (load[0]) begin
        rest_q        <= rest_d;
        weight_zero_q <= weight_zero_i[i*16 +: 16];
      end
      if (load[1]) begin
        rest_q2    <= rest_q;
        product_q2 <= product_d;
      end
      if (load[2]) sum_q3 <= sum_d;
    end

    assign sum_o[i*OutW +: OutW] = sum_q3;
  end

endmodule

`default_nettype wire
