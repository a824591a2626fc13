// Register slice of a stream: cuts every path between its two sides, and still passes one word per cycle.
//
//   in ─┬──────────────► [word] ─► out      the word on offer
//       └─► [spare] ──────┘                 caught when the output stalls, which the input hears of one cycle late
//
// Latency: 1. Throughput: one word per cycle. Every output is a register or its complement. Overflow: none.
// Reset: empty; the words are not reset. To its neighbours it is a queue of two words.
// Python twin: fpsim/arith/fifo.py, with a depth of 2.

`default_nettype none

module fpsim_skid #(
  parameter int W = fpsim_pkg::ACC_W  // bits of a word
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

  logic         push, moves;         // a word enters; the word on offer is free or leaves
  logic         valid_d, valid_q;    // a word is on offer
  logic         spare_d, spare_q;    // one more waits behind it
  logic [W-1:0] word_d, word_q, spare_word_q;

  assign push    = in_valid_i && !spare_q;
  assign moves   = out_ready_i || !valid_q;
  assign valid_d = !moves || spare_q || push;
  assign spare_d = !moves && (spare_q || push);
  assign word_d  = spare_q ? spare_word_q : data_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      spare_q <= 1'b0;
    end else begin
      valid_q <= valid_d;
      spare_q <= spare_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (moves && (spare_q || push)) word_q <= word_d;
    if (push && !moves)             spare_word_q <= data_i;
  end

  assign in_ready_o  = !spare_q;
  assign out_valid_o = valid_q;
  assign data_o      = word_q;

endmodule

`default_nettype wire
