// The layer's sign vector: written by the host in words of 32 signs, read one beat of N signs at a time.
//
// Sign i lies in bit i mod 32 of word i / 32 and in lane i mod N of beat i / N. Words beyond the vector are not written.
// Place of a small SRAM or of registers.
// Latency: combinational read; a written word is read from the next cycle on. Throughput: one word in, one beat out per
// cycle. Overflow: none. Nothing is reset. Python twin: a list.

`default_nettype none

module fpsim_sign_memory #(
  parameter int N    = fpsim_pkg::HADAMARD_N,  // signs per beat, a power of two
  parameter int KMax = 4608                    // signs, a multiple of N and of 32, at least 2 * N
) (
  input  logic                      clk_i,
  input  logic                      write_en_i,
  input  logic [8:0]                write_at_i,  // word
  input  logic [31:0]               write_i,
  input  logic [$clog2(KMax/N)-1:0] read_at_i,   // beat
  output logic [N-1:0]              read_o
);

  localparam int BEATS = KMax / N;

  logic [N-1:0] beats_q [0:BEATS-1];

  for (genvar b = 0; b < BEATS; b++) begin : gen_beat
    if (N <= 32) begin : gen_part_of_a_word
      localparam int WORD = b * N / 32;
      localparam int BIT  = b * N % 32;
      always_ff @(posedge clk_i) begin
        if (write_en_i && write_at_i == 9'(WORD)) beats_q[b] <= write_i[BIT +: N];
      end
    end else begin : gen_words
      localparam int WORDS = N / 32;
      logic [N-1:0] beat_q;
      for (genvar w = 0; w < WORDS; w++) begin : gen_word
        always_ff @(posedge clk_i) begin
          if (write_en_i && write_at_i == 9'(b * WORDS + w)) beat_q[w*32 +: 32] <= write_i;
        end
      end
      assign beats_q[b] = beat_q;
    end
  end

  assign read_o = beats_q[read_at_i];

endmodule

`default_nettype wire
