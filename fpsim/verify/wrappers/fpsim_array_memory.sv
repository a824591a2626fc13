// fpsim_mac_array between two memories: beats out of one, every row that leaves compared with the other.
//
// Both memories are read from files ($readmemh) when go_i rises: +beats=FILE, one beat a line,
// {a_fmt, b_fmt, first, shift, last, a_low, b_low, b_codes, a_codes}; +rows=FILE, one row a line. A beat is offered in
// every cycle, a row is taken at once; a line of rows is {last, acc}. done_o rises with the last row; rows_o counts the rows, wrong_o those that
// differ, cycles_o the clock cycles in between; wrong_row_o is the number of the first wrong row, got_o what came
// there. An X is never equal. The clock is made here, so that no cycle waits for a callback. For simulation only.

`default_nettype none

module fpsim_array_memory #(
  parameter int Rows     = fpsim_pkg::ROWS,
  parameter int Cols     = fpsim_pkg::COLS,
  parameter int Formats  = fpsim_pkg::FORMATS,
  parameter int AccW     = fpsim_pkg::ACC_W,
  parameter int Saturate = fpsim_pkg::SATURATE,
  parameter int Overlap  = fpsim_pkg::OVERLAP,
  parameter int MaxBeats = 1024,  // words of the memory of beats
  parameter int MaxRows  = 1024   // words of the memory of rows
) (
  input  logic                 go_i,
  input  logic [31:0]          beats_i,  // beats to send
  input  logic [31:0]          rows_i,   // rows to wait for
  output logic                 done_o,
  output logic [31:0]          rows_o,
  output logic [31:0]          wrong_o,
  output logic [31:0]          wrong_row_o,
  output logic [Cols*AccW:0]   got_o,
  output logic [31:0]          cycles_o
);

  localparam int CODE_W = fpsim_pkg::CODE_W;
  localparam int FMT_W  = fpsim_pkg::FMT_W;
  localparam int BEAT_W = 2 * FMT_W + 5 + (Rows + Cols) * CODE_W;
  localparam int ROW_W  = 1 + Cols * AccW;

  logic [BEAT_W-1:0]    beats[MaxBeats];
  logic [ROW_W-1:0]     rows [MaxRows];

  logic                 clk;
  logic                 rst_n;
  logic                 running_q;
  logic [31:0]          sent_q;
  logic [BEAT_W-1:0]    beat;
  logic                 in_ready;
  logic                 out_valid;
  logic                 out_last;
  logic [Cols*AccW-1:0] out_acc;
  string                file;

  initial begin
    clk = 1'b0;
    forever #1 clk = ~clk;
  end

  initial begin
    rst_n = 1'b1;
    #1 rst_n = 1'b0;
    #4 rst_n = 1'b1;
  end

  always @(posedge go_i) begin
    if ($value$plusargs("beats=%s", file)) $readmemh(file, beats);
    if ($value$plusargs("rows=%s", file)) $readmemh(file, rows);
  end

  // The formats stay until the last row has left.
  assign beat = beats[sent_q != beats_i ? sent_q : sent_q - 1];

  always_ff @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      running_q   <= 1'b0;
      done_o      <= 1'b0;
      sent_q      <= '0;
      rows_o      <= '0;
      wrong_o     <= '0;
      wrong_row_o <= '0;
      got_o       <= '0;
      cycles_o    <= '0;
    end else begin
      running_q <= go_i && !done_o;
      if (running_q) begin
        cycles_o <= cycles_o + 1;
        if (in_ready && sent_q != beats_i) sent_q <= sent_q + 1;
        if (out_valid) begin
          rows_o <= rows_o + 1;
          done_o <= rows_o + 1 == rows_i;
          if ({out_last, out_acc} !== rows[rows_o]) begin
            wrong_o <= wrong_o + 1;
            if (wrong_o == 0) begin
              wrong_row_o <= rows_o;
              got_o       <= {out_last, out_acc};
            end
          end
        end
      end
    end
  end

  fpsim_mac_array #(
    .Rows    (Rows),
    .Cols    (Cols),
    .Formats (Formats),
    .AccW    (AccW),
    .Saturate(Saturate),
    .Overlap (Overlap)
  ) u_array (
    .clk_i      (clk),
    .rst_ni     (rst_n),
    .a_fmt_i    (beat[BEAT_W-1-:FMT_W]),
    .b_fmt_i    (beat[BEAT_W-1-FMT_W-:FMT_W]),
    .in_valid_i (running_q && sent_q != beats_i),
    .in_ready_o (in_ready),
    .in_first_i (beat[(Rows+Cols)*CODE_W+4]),
    .in_shift_i (beat[(Rows+Cols)*CODE_W+3]),
    .in_last_i  (beat[(Rows+Cols)*CODE_W+2]),
    .in_a_low_i (beat[(Rows+Cols)*CODE_W+1]),
    .in_b_low_i (beat[(Rows+Cols)*CODE_W]),
    .a_codes_i  (beat[Rows*CODE_W-1:0]),
    .b_codes_i  (beat[Rows*CODE_W+:Cols*CODE_W]),
    .out_valid_o(out_valid),
    .out_ready_i(running_q),
    .out_last_o (out_last),
    .out_acc_o  (out_acc)
  );

endmodule

`default_nettype wire
