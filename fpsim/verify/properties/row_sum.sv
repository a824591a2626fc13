// fpsim_row_sum holds the sum of the codes since the first beat; a code is 16 * high + low, high in two's complement.

module proof #(
  parameter int Lanes  = 2,
  parameter int DepthW = 5
) (
  input logic               clk_i, rst_ni, en_i, first_i,
  input logic [Lanes*4-1:0] high_i, low_i
);

  logic [8+DepthW-1:0] sum_o;

  fpsim_row_sum #(.Lanes(Lanes), .DepthW(DepthW)) dut (.*);

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic signed [31:0] beat, sum_q;

  always_comb begin
    beat = 0;
    for (int i = 0; i < Lanes; i++) begin
      beat = beat + 16 * $signed({{28{high_i[i*4+3]}}, high_i[i*4 +: 4]}) + $signed({28'd0, low_i[i*4 +: 4]});
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)   sum_q <= 0;
    else if (en_i) sum_q <= first_i ? beat : sum_q + beat;
  end

  always_comb begin
    if (!started) assume (!rst_ni);
    assert (sum_o == sum_q[8+DepthW-1:0]);
  end

endmodule
