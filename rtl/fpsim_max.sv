// Largest of Lanes unsigned numbers, by a tree of comparators.
//
//   node[0] is the root, node[i] the larger of node[2i+1] and node[2i+2], node[Lanes-1+j] lane j
//
// Latency: combinational, ceil(log2 Lanes) comparators deep. Throughput: one beat. Overflow: none.
// Python twin: max().

`default_nettype none

module fpsim_max #(
  parameter int Lanes = 2,  // numbers, 1 or more
  parameter int W     = 8   // bits of each
) (
  input  logic [Lanes*W-1:0] x_i,
  output logic [W-1:0]       max_o
);

  logic [W-1:0] node [0:2*Lanes-2];

  for (genvar i = 0; i < Lanes; i++) begin : gen_leaf
    assign node[Lanes-1+i] = x_i[i*W +: W];
  end

  for (genvar i = 0; i < Lanes - 1; i++) begin : gen_node
    assign node[i] = node[2*i+1] > node[2*i+2] ? node[2*i+1] : node[2*i+2];
  end

  assign max_o = node[0];

endmodule

`default_nettype wire
