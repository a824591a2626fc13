// fpsim_tile_drain at the stream y: what is offered stays, and every real row of the array leaves once, tile by tile.
//
// Counted beside it: rows that went in and came out, and the place of each in its tile. Which results they are is the
// epilogue's affair (its bench, its lane); in which order registers pass them on, that of pipeline_control's proof.
// As fpsim_top_control does it (top_control.sv), rows_i and cols_i stay while a row of their tile is inside.

module proof #(
  parameter int Rows = 2,
  parameter int Cols = 1
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      run_i,
  input  logic                      scale_en_i,
  input  logic                      scale_row_i,
  input  logic [18:0]               scale_i,
  input  logic [$clog2(Rows+1)-1:0] rows_i,
  input  logic [$clog2(Cols+1)-1:0] cols_i,
  input  logic [Cols*19-1:0]        col_scale_i,
  input  logic [Cols*16-1:0]        bias_i,
  input  logic                      acc_valid_i,
  input  logic                      acc_last_i,
  input  logic [Cols*9-1:0]         acc_i,
  input  logic                      y_ready_i
);

  logic                acc_ready_o, y_valid_o, y_last_o, array_done_o, released_o, y_done_o;
  logic [Cols*16-1:0]  y_o;
  logic [2*Cols-1:0]   y_keep_o;

  fpsim_tile_drain #(.Rows(Rows), .Cols(Cols), .AccW(9), .Zeros(0)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .run_i(run_i), .scale_en_i(scale_en_i), .scale_row_i(scale_row_i),
    .scale_i(scale_i), .zero_i('0), .sum_i('0), .k_i('0), .a_zero_i(1'b0), .b_zero_i(1'b0), .rows_i(rows_i),
    .cols_i(cols_i), .col_scale_i(col_scale_i), .bias_i(bias_i), .weight_zero_i('0), .col_sum_i('0),
    .acc_valid_i(acc_valid_i), .acc_ready_o(acc_ready_o), .acc_last_i(acc_last_i), .acc_i(acc_i),
    .y_valid_o(y_valid_o), .y_ready_i(y_ready_i), .y_o(y_o), .y_keep_o(y_keep_o), .y_last_o(y_last_o),
    .array_done_o(array_done_o), .released_o(released_o), .y_done_o(y_done_o)
  );

  (* keep *) wire [3:0]                valid_q;
  (* keep *) wire [$clog2(Rows+1)-1:0] row_q, out_row_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic push, pop;
  assign push = acc_valid_i && acc_ready_o && row_q < rows_i;
  assign pop  = y_valid_o && y_ready_i;

  logic                      before_q, y_last_q;
  logic [7:0]                held_q, in_q, out_q;  // rows inside; of this tile, gone in, and come out
  logic [Cols*16-1:0]        y_q;
  logic [2*Cols-1:0]         keep_q;
  logic [$clog2(Rows+1)-1:0] rows_q;
  logic [$clog2(Cols+1)-1:0] cols_q;
  logic                      inside_q;  // a tile has begun and not left

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      before_q <= 1'b0;
      held_q   <= '0;
      in_q     <= '0;
      out_q    <= '0;
    end else begin
      before_q <= y_valid_o && !y_ready_i;
      held_q   <= held_q + 8'(push) - 8'(pop);
      if (acc_valid_i && acc_ready_o) in_q <= acc_last_i ? 8'd0 : in_q + 8'd1;
      if (pop) out_q <= y_last_o ? 8'd0 : out_q + 8'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    y_q      <= y_o;
    keep_q   <= y_keep_o;
    y_last_q <= y_last_o;
    rows_q   <= rows_i;
    cols_q   <= cols_i;
  end

  assign inside_q = held_q != 0 || out_q != 0 || in_q != 0;

  always_comb begin
    // The array's tiles have Rows rows, the last one marked; real ones are at least 1.
    assume (acc_last_i == (in_q == 8'(Rows - 1)));
    assume (rows_i != 0 && rows_i <= Rows && cols_i != 0 && cols_i <= Cols);
    if (rst_ni && inside_q) assume (rows_i == rows_q && cols_i == cols_q);
  end

  always_comb begin
    if (rst_ni) begin
      if (before_q) assert (y_valid_o && y_o == y_q && y_keep_o == keep_q && y_last_o == y_last_q);
      assert (!y_valid_o || held_q != 0);
      if (y_valid_o) assert (y_last_o == (out_q == 8'(rows_i) - 8'd1));
      assert (y_done_o == (pop && y_last_o));
      // What carries the induction.
      assert (held_q == 8'(valid_q[0]) + 8'(valid_q[1]) + 8'(valid_q[2]) + 8'(valid_q[3]));
      assert (in_q == 8'(row_q) && in_q < Rows && out_q == 8'(out_row_q) && out_q < 8'(rows_i));
    end
  end

endmodule
