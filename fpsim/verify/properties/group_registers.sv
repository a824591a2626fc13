// fpsim_group_registers: any one group gives what was last written to it, or the reset's entry; else the row's passes.

module proof #(
  parameter int Groups = 4,
  parameter int W      = 3
) (
  input logic                      clk_i, rst_ni, write_i, static_i,
  input logic [$clog2(Groups)-1:0] write_group_i, group_i,
  input logic [4:0]                write_exp_i, row_exp_i,
  input logic [W:0]                write_amp_i, row_amp_i,
  input logic [7:0]                write_zero_i, row_zero_i
);

  logic [4:0] exp_o;
  logic [W:0] amp_o;
  logic [7:0] zero_o;

  fpsim_group_registers #(.Groups(Groups), .W(W)) dut (.*);

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  (* anyconst *) logic [$clog2(Groups)-1:0] marked;

  logic [4:0] exp_q;
  logic [W:0] amp_q;
  logic [7:0] zero_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) {exp_q, amp_q, zero_q} <= {5'd1, {(W+1){1'b0}}, 8'd0};
    else if (write_i && write_group_i == marked) {exp_q, amp_q, zero_q} <= {write_exp_i, write_amp_i, write_zero_i};
  end

  (* keep *) wire [Groups*(W+14)-1:0] entries;

  always_comb begin
    if (!started) assume (!rst_ni);
    if (static_i && group_i == marked) assert ({exp_o, amp_o, zero_o} == {exp_q, amp_q, zero_q});
    if (!static_i) assert ({exp_o, amp_o, zero_o} == {row_exp_i, row_amp_i, row_zero_i});
    // What carries the induction.
    assert (entries[marked*(W+14) +: W+14] == {exp_q, amp_q, zero_q});
  end

endmodule
