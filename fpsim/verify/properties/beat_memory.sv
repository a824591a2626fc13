// fpsim_beat_memory: any one address reads as what was last written to it; what was read stays.

module proof #(
  parameter int W     = 2,
  parameter int Beats = 5
) (
  input logic                     clk_i, write_en_i, read_en_i,
  input logic [$clog2(Beats)-1:0] write_at_i, read_at_i,
  input logic [W-1:0]             write_i
);

  logic [W-1:0] read_o;

  fpsim_beat_memory #(.W(W), .Beats(Beats)) dut (.*);

  (* keep *) wire [Beats*W-1:0] beats_q;

  (* anyconst *) logic [$clog2(Beats)-1:0] marked;

  logic         written_q = 1'b0, read_q = 1'b0;
  logic [W-1:0] beat_q, expected_q;

  always_ff @(posedge clk_i) begin
    if (write_en_i && write_at_i == marked) begin
      written_q <= 1'b1;
      beat_q    <= write_i;
    end
    if (read_en_i) begin
      read_q     <= written_q && read_at_i == marked;
      expected_q <= beat_q;
    end
  end

  always_comb begin
    assume (marked < Beats && write_at_i < Beats && read_at_i < Beats);
    if (write_en_i && read_en_i) assume (write_at_i != read_at_i);
    if (read_q) assert (read_o == expected_q);
    if (written_q) assert (beats_q[marked*W +: W] == beat_q);  // carries the induction
  end

endmodule
