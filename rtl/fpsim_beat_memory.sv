// Memory of beats: one write and one read per cycle, read data in the next cycle. Place of an SRAM or a register file.
//
// read_en_i = 0 holds the read data. Reading an address in the cycle that writes it is not legal.
// Latency: 1. Throughput: one beat in, one out per cycle. Overflow: none. Nothing is reset. Python twin: a list.

`default_nettype none

module fpsim_beat_memory #(
  parameter int W     = 32,  // bits of a beat
  parameter int Beats = 36   // 2 or more
) (
  input  logic                     clk_i,
  input  logic                     write_en_i,
  input  logic [$clog2(Beats)-1:0] write_at_i,
  input  logic [W-1:0]             write_i,
  input  logic                     read_en_i,
  input  logic [$clog2(Beats)-1:0] read_at_i,
  output logic [W-1:0]             read_o
);

  logic [W-1:0] beats_q [0:Beats-1];
  logic [W-1:0] read_q;

  always_ff @(posedge clk_i) begin
    if (write_en_i) beats_q[write_at_i] <= write_i;
    if (read_en_i) read_q <= beats_q[read_at_i];
  end

  assign read_o = read_q;

endmodule

`default_nettype wire
