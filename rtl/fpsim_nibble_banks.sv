// Codes of a tile of rows, 4-bit ones or both nibbles of wide ones: written in beats of N codes, read as one of every row.
//
//   low_i ──► code_banks ─┬─► codes of k: 4-bit codes, or the nibble that read_low_i asked for
//   high_i ─► code_banks ─┘
//
// wide_i: codes are INT6 or INT8. read_en_i = 0 holds what was read. Rows from rows_i on read as code 0.
// Latency: 1. Throughput: one beat in, one k out per cycle. Overflow: none. Nothing is reset.
// Python twin: a list.

`default_nettype none

module fpsim_nibble_banks #(
  parameter int Rows = fpsim_pkg::ROWS,
  parameter int N    = fpsim_pkg::HADAMARD_N,  // codes per beat
  parameter int Wide = 1,                      // 1: INT6 and INT8 too
  parameter int KMax = 4608
) (
  input  logic                                     clk_i,
  input  logic                                     wide_i,
  input  logic                                     write_en_i,
  input  logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0] write_row_i,
  input  logic [$clog2(KMax/N)-1:0]                write_at_i,
  input  logic [N*fpsim_pkg::CODE_W-1:0]           low_i,
  input  logic [N*fpsim_pkg::CODE_W-1:0]           high_i,
  input  logic                                     read_en_i,
  input  logic                                     read_low_i,
  input  logic [15:0]                              read_k_i,
  input  logic [$clog2(Rows+1)-1:0]                rows_i,
  output logic [Rows*fpsim_pkg::CODE_W-1:0]        codes_o
);

  logic [Rows*fpsim_pkg::CODE_W-1:0] low_codes;

  fpsim_code_banks #(.Rows(Rows), .N(N), .KMax(KMax)) u_low (
    .clk_i      (clk_i),
    .write_en_i (write_en_i),
    .write_row_i(write_row_i),
    .write_at_i (write_at_i),
    .write_i    (low_i),
    .read_en_i  (read_en_i && (read_low_i || !wide_i)),
    .read_k_i   (read_k_i),
    .rows_i     (rows_i),
    .codes_o    (low_codes)
  );

  if (Wide != 0) begin : gen_wide
    logic [Rows*fpsim_pkg::CODE_W-1:0] high_codes;
    logic                              high_q;  // what was read last

    fpsim_code_banks #(.Rows(Rows), .N(N), .KMax(KMax)) u_high (
      .clk_i      (clk_i),
      .write_en_i (write_en_i && wide_i),
      .write_row_i(write_row_i),
      .write_at_i (write_at_i),
      .write_i    (high_i),
      .read_en_i  (read_en_i && !read_low_i && wide_i),
      .read_k_i   (read_k_i),
      .rows_i     (rows_i),
      .codes_o    (high_codes)
    );

    always_ff @(posedge clk_i) begin
      if (read_en_i) high_q <= wide_i && !read_low_i;
    end

    assign codes_o = high_q ? high_codes : low_codes;
  end else begin : gen_narrow
    logic unused_high;
    assign unused_high = ^high_i;
    assign codes_o     = low_codes;
  end

endmodule

`default_nettype wire
