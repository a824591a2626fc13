// Sum of signed numbers, a tree whose adders grow by one bit per level.
//
// Latency: combinational, log2 Lanes adders deep. Throughput: one beat. Overflow: none. Python twin: sum.

`default_nettype none

module fpsim_add_tree #(
  parameter int Lanes = 4,  // numbers, a power of two, 2 or more
  parameter int W     = 8   // bits of each
) (
  input  logic [Lanes*W-1:0]                x_i,
  output logic signed [W+$clog2(Lanes)-1:0] sum_o
);

  localparam int LEVELS = $clog2(Lanes);

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int COUNT   = Lanes >> l;
    localparam int LEVEL_W = W + l;

    logic [COUNT*LEVEL_W-1:0] sums;

    if (l == 0) begin : gen_leaves
      assign sums = x_i;
    end else begin : gen_adders
      localparam int BELOW_W = LEVEL_W - 1;

      for (genvar i = 0; i < COUNT; i++) begin : gen_pair
        logic signed [BELOW_W-1:0] even, odd;

        assign even = gen_level[l-1].sums[2*i*BELOW_W +: BELOW_W];
        assign odd  = gen_level[l-1].sums[(2*i+1)*BELOW_W +: BELOW_W];
        assign sums[i*LEVEL_W +: LEVEL_W] = LEVEL_W'(even) + LEVEL_W'(odd);
      end
    end
  end

  assign sum_o = gen_level[LEVELS].sums;

endmodule

`default_nettype wire
