// First-in first-out queue of Depth words, in registers.
//
//   in ─► [Depth words, a ring] ─► out        write_q: where the next word goes, read_q: the oldest, count_q: how many
//
// First-word fall-through: the oldest word is on data_o, with out_valid_o, from the cycle after it was accepted, without
// being asked for. in_ready_o depends on the count alone, so no path leads from out_ready_i to in_ready_o; a full queue
// therefore takes its next word one cycle after it gave one away.
//
// Latency: 1. Throughput: one word per cycle (Depth = 1: one in two cycles). Overflow: none, a full queue is not ready.
// Reset: empty; the words are not reset. Python twin: fpsim/arith/fifo.py.

`default_nettype none

module fpsim_fifo #(
  parameter int W     = fpsim_pkg::ACC_W,  // bits of a word
  parameter int Depth = fpsim_pkg::ROWS    // words, 1 or more; any number, not only powers of two
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  output logic         in_ready_o,
  input  logic [W-1:0] data_i,
  output logic         out_valid_o,
  input  logic         out_ready_i,
  output logic [W-1:0] data_o
);

  localparam int INDEX_W = Depth > 1 ? $clog2(Depth) : 1;  // index of a word
  localparam int COUNT_W = $clog2(Depth + 1);              // 0 to Depth
  localparam logic [INDEX_W-1:0] LAST = INDEX_W'(Depth - 1);
  localparam logic [COUNT_W-1:0] FULL = COUNT_W'(Depth);

  logic               push, pop;
  logic [INDEX_W-1:0] write_d, write_q, read_d, read_q;
  logic [COUNT_W-1:0] count_d, count_q;

  assign in_ready_o  = count_q != FULL;
  assign out_valid_o = count_q != '0;
  assign push        = in_valid_i && in_ready_o;
  assign pop         = out_valid_o && out_ready_i;

  // ---------------------------------
  // Ring: an index follows LAST with 0
  // ---------------------------------
  always_comb begin
    write_d = write_q;
    read_d  = read_q;
    if (push) write_d = write_q == LAST ? '0 : write_q + 1'b1;
    if (pop)  read_d  = read_q == LAST ? '0 : read_q + 1'b1;
  end

  assign count_d = count_q + COUNT_W'(push) - COUNT_W'(pop);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
    end else begin
      write_q <= write_d;
      read_q  <= read_d;
      count_q <= count_d;
    end
  end

  // ---------------------------------
  // Words
  // ---------------------------------
  logic [W-1:0] words_q [0:Depth-1];

  for (genvar i = 0; i < Depth; i++) begin : gen_word
    always_ff @(posedge clk_i) begin
      if (push && write_q == INDEX_W'(i)) words_q[i] <= data_i;
    end
  end

  assign data_o = words_q[read_q];

endmodule

`default_nettype wire
