// Codes of a tile of rows: written row by row in beats of N codes, read as one code of every row for one k.
//
//   one bank per row: [N codes][N codes] ... ─► beat of k ─► lane of k ─► code of the row
//
// read_en_i = 0 holds what was read. Rows from rows_i on read as code 0, whatever their banks hold.
// Latency: 1. Throughput: one beat in, one k out per cycle. Overflow: none. Nothing is reset.
// Python twin: a list.

`default_nettype none

module fpsim_code_banks #(
  parameter int Rows = fpsim_pkg::ROWS,
  parameter int N    = fpsim_pkg::HADAMARD_N,  // codes per beat
  parameter int KMax = 4608
) (
  input  logic                                       clk_i,
  input  logic                                       write_en_i,
  input  logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0]   write_row_i,
  input  logic [$clog2(KMax/N)-1:0]                  write_at_i,
  input  logic [N*fpsim_pkg::CODE_W-1:0]             write_i,
  input  logic                                       read_en_i,
  input  logic [15:0]                                read_k_i,
  input  logic [$clog2(Rows+1)-1:0]                  rows_i,
  output logic [Rows*fpsim_pkg::CODE_W-1:0]          codes_o
);

  localparam int CODE_W = fpsim_pkg::CODE_W;
  localparam int LANE_W = $clog2(N);
  localparam int AT_W   = $clog2(KMax / N);
  localparam int ROW_W  = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ROWS_W = $clog2(Rows + 1);

  logic [LANE_W-1:0] lane_q;
  logic              unused_k;

  assign unused_k = ^(read_k_i >> (LANE_W + AT_W));

  always_ff @(posedge clk_i) begin
    if (read_en_i) lane_q <= read_k_i[LANE_W-1:0];
  end

  for (genvar r = 0; r < Rows; r++) begin : gen_bank
    logic [N*CODE_W-1:0] beat;

    fpsim_beat_memory #(.W(N * CODE_W), .Beats(KMax / N)) u_memory (
      .clk_i     (clk_i),
      .write_en_i(write_en_i && write_row_i == ROW_W'(r)),
      .write_at_i(write_at_i),
      .write_i   (write_i),
      .read_en_i (read_en_i),
      .read_at_i (read_k_i[LANE_W +: AT_W]),
      .read_o    (beat)
    );

    assign codes_o[r*CODE_W +: CODE_W] = ROWS_W'(r) < rows_i ? beat[lane_q*CODE_W +: CODE_W] : '0;
  end

endmodule

`default_nettype wire
