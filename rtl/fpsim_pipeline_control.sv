// Valid/ready control of a pipeline: which stages take new data in this cycle.
//
//   in ─► [stage 0] ─► [stage 1] ─► ... ─► [Stages-1] ─► out
//
// A stage takes data when the stage before it holds some and it is empty or being emptied, so gaps close up while the
// output waits. Data moves only where load_o says so; valid stays until ready.
// Latency: Stages. Throughput: one beat per cycle. Reset: empty. Python twin: none (flow control).

`default_nettype none

module fpsim_pipeline_control #(
  parameter int Stages = 1  // registers between input and output
) (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              in_valid_i,
  output logic              in_ready_o,
  output logic              out_valid_o,
  input  logic              out_ready_i,
  output logic [Stages-1:0] load_o  // bit s: the registers of stage s take their input
);

  logic [Stages-1:0] valid_d, valid_q;
  logic [Stages-1:0] ready;   // stage s is empty or empties
  logic [Stages-1:0] offered; // data waits before stage s

  for (genvar s = 0; s < Stages; s++) begin : gen_stage
    assign ready[s] = out_ready_i || !(&valid_q[Stages-1:s]);
    if (s == 0) begin : gen_input
      assign offered[s] = in_valid_i;
    end else begin : gen_previous
      assign offered[s] = valid_q[s-1];
    end
  end

  assign valid_d     = (ready & offered) | (~ready & valid_q);
  assign load_o      = ready & offered;
  assign in_ready_o  = ready[0];
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
    end else begin
      valid_q <= valid_d;
    end
  end

endmodule

`default_nettype wire
