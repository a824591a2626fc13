// Epilogue with FP16, BF16 or FP32 results: y = result(acc * rho * c + b), one rounding of the exact sum.
//
//   acc: AccW-bit signed, one per output channel; rho: the row's scale, TF32, >= 0
//   c: column scales, TF32, normal, > 0; b: biases, FP16, finite
//   result_i: 0 FP16, 1 BF16, 2 FP32, of the row; y_o: 32 bits per channel, results of 16 bits in the low ones, 0 above
//
// Where FP16 is enough fpsim_epilogue is smaller: its sum fits a fixed-point window, that of FP32 would take 280 bits.
// Latency: 6. Throughput: one row of Lanes channels per cycle; stalls while y waits.
// Overflow: saturates to the largest finite number. Subnormal results are kept. An exact sum of 0 gives +0, a negative
// one that rounds to 0 gives -0. Data registers are not reset. Python twin: fpsim/arith/epilogue.py.

`default_nettype none

module fpsim_wide_epilogue #(
  parameter int Lanes = fpsim_pkg::COLS,  // output channels per row
  parameter int AccW  = fpsim_pkg::ACC_W  // accumulator width, 9 to 42
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               in_valid_i,
  output logic                               in_ready_o,
  input  logic [Lanes*AccW-1:0]              acc_i,
  input  logic [fpsim_pkg::TF32_W-1:0]       row_scale_i,
  input  logic [Lanes*fpsim_pkg::TF32_W-1:0] col_scale_i,
  input  logic [Lanes*fpsim_pkg::FP16_W-1:0] bias_i,
  input  logic [1:0]                         result_i,
  output logic                               out_valid_o,
  input  logic                               out_ready_i,
  output logic [Lanes*32-1:0]                y_o
);

  localparam int FP16_W = fpsim_pkg::FP16_W;
  localparam int TF32_W = fpsim_pkg::TF32_W;
  localparam int STAGES = 6;  // of fpsim_wide_epilogue_lane

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

  // The result format keeps pace with its row up to the last stage's input.
  logic [1:0] result_q [0:STAGES-2];
  logic [1:0] result_last;

  assign result_last = result_q[STAGES-2];

  for (genvar s = 0; s < STAGES - 1; s++) begin : gen_result
    logic [1:0] upstream;

    if (s == 0) begin : gen_input
      assign upstream = result_i;
    end else begin : gen_previous
      assign upstream = result_q[s-1];
    end

    always_ff @(posedge clk_i) begin
      if (load[s]) result_q[s] <= upstream;
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    fpsim_wide_epilogue_lane #(
      .AccW(AccW)
    ) u_lane (
      .clk_i      (clk_i),
      .load_i     (load),
      .acc_i      (acc_i[i*AccW +: AccW]),
      .row_scale_i(row_scale_i),
      .col_scale_i(col_scale_i[i*TF32_W +: TF32_W]),
      .bias_i     (bias_i[i*FP16_W +: FP16_W]),
      .result_i   (result_last),
      .y_o        (y_o[i*32 +: 32])
    );
  end

endmodule

`default_nettype wire
