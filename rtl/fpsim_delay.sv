// Delay line: q_o is d_i of Depth cycles ago.
//
// Latency: Depth (0: a wire). Throughput: one word per cycle. No reset: what it holds at power-up leaves after Depth cycles.
// Python twin: none (a skew register of the array).

`default_nettype none

module fpsim_delay #(
  parameter int W     = 1,  // bits per word
  parameter int Depth = 1   // cycles
) (
  input  logic         clk_i,
  input  logic [W-1:0] d_i,
  output logic [W-1:0] q_o
);

  if (Depth == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign q_o        = d_i;
  end else begin : gen_line
    logic [Depth*W-1:0] line_d, line_q;  // newest word in the lowest bits

    if (Depth == 1) begin : gen_one
      assign line_d = d_i;
    end else begin : gen_many
      assign line_d = {line_q[(Depth-1)*W-1:0], d_i};
    end

    always_ff @(posedge clk_i) line_q <= line_d;

    assign q_o = line_q[Depth*W-1 -: W];
  end

endmodule

`default_nettype wire
