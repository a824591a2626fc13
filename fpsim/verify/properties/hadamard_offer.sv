// fpsim_hadamard_outer: a result that is offered stays, and its every bit, until it is taken.

module proof #(
  parameter int Lanes    = 2,
  parameter int InW      = 4,
  parameter int MaxBeats = 8
) (
  input logic                        clk_i, rst_ni, in_valid_i, out_ready_i,
  input logic [1:0]                  base_i,
  input logic [6:0]                  points_i,
  input logic [$clog2(MaxBeats)-1:0] stride_i,
  input logic [Lanes*InW-1:0]        x_i
);

  logic                     in_ready_o, out_valid_o;
  logic [Lanes*(InW+6)-1:0] y_o, before_y_q;

  fpsim_hadamard_outer #(.Lanes(Lanes), .InW(InW), .MaxBeats(MaxBeats)) dut (.*);

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic before_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) before_q <= 1'b0;
    else         before_q <= out_valid_o && !out_ready_i;
  end

  always_ff @(posedge clk_i) before_y_q <= y_o;

  always_comb begin
    if (!started) assume (!rst_ni);
    if (rst_ni && before_q) assert (out_valid_o && y_o == before_y_q);
  end

endmodule
