// Static scales of a layer: one set of registers per group of timesteps, and the choice between them and the row's own.
//
//   write_i     exponent, amplitude (or span) and zero point of group write_group_i
//   static_i    1: what group_i holds; 0: the row's exponent, amplitude and zero point pass
//
// An amplitude has at most 11 significant bits; fpsim_row_scale makes the scale of it as it does of a row's own.
// A group beyond Groups - 1 is not legal. Reset: exponent 1, amplitude and zero point 0, which codes a 0 everywhere.
// Latency: combinational (a write shows in the next cycle). Throughput: one row per cycle. Overflow: none.
// Python twin: fpsim/kernels/row_scale.py (static scales); storage alone.

`default_nettype none

module fpsim_group_registers #(
  parameter int Groups = 16,                                                         // groups of timesteps, 2 or more
  parameter int W      = 12 + fpsim_pkg::GUARD_BITS + $clog2(fpsim_pkg::HADAMARD_N)  // bits of a rotated element
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic                              write_i,
  input  logic [$clog2(Groups)-1:0]         write_group_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0]  write_exp_i,
  input  logic [W:0]                        write_amp_i,
  input  logic [7:0]                        write_zero_i,
  input  logic                              static_i,
  input  logic [$clog2(Groups)-1:0]         group_i,
  input  logic [fpsim_pkg::FP16_EXP_W-1:0]  row_exp_i,
  input  logic [W:0]                        row_amp_i,
  input  logic [7:0]                        row_zero_i,
  output logic [fpsim_pkg::FP16_EXP_W-1:0]  exp_o,
  output logic [W:0]                        amp_o,
  output logic [7:0]                        zero_o
);

  localparam int GROUP_W = $clog2(Groups);
  localparam int EXP_W   = fpsim_pkg::FP16_EXP_W;
  localparam int ENTRY_W = EXP_W + W + 1 + 8;
  localparam logic [ENTRY_W-1:0] RESET_ENTRY = ENTRY_W'(1) << (W + 1 + 8);

  logic [ENTRY_W-1:0] entry [0:Groups-1];
  logic [ENTRY_W-1:0] chosen;

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    logic [ENTRY_W-1:0] data_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        data_q <= RESET_ENTRY;
      end else if (write_i && write_group_i == GROUP_W'(g)) begin
        data_q <= {write_exp_i, write_amp_i, write_zero_i};
      end
    end

    assign entry[g] = data_q;
  end

  assign chosen = static_i ? entry[group_i] : {row_exp_i, row_amp_i, row_zero_i};
  assign {exp_o, amp_o, zero_o} = chosen;

endmodule

`default_nettype wire
