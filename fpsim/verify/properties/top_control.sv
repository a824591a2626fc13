// fpsim_top_control: the shape of a tile, its tlast and tkeep, stays while results of it are owed.
//
// A tile is owed from weights_done_i until y_done_i; the array lets its tiles go before y does.

module proof #(
  parameter int Rows = 2,
  parameter int Cols = 2
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        start_i,
  input  logic [15:0] m_i,
  input  logic [15:0] n_i,
  input  logic        row_done_i,
  input  logic        weights_done_i,
  input  logic        array_done_i,
  input  logic        y_done_i,
  input  logic [7:0]  error_i
);

  logic                      run_rows_o, run_weights_o, run_drain_o, busy_o, stopped_o, finished_o;
  logic [$clog2(Rows)-1:0]   row_o;
  logic [$clog2(Rows+1)-1:0] tile_rows_o;
  logic [$clog2(Cols+1)-1:0] tile_cols_o;

  fpsim_top_control #(.Rows(Rows), .Cols(Cols)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .start_i(start_i), .m_i(m_i), .n_i(n_i), .row_done_i(row_done_i),
    .weights_done_i(weights_done_i), .array_done_i(array_done_i), .y_done_i(y_done_i), .error_i(error_i),
    .run_rows_o(run_rows_o), .run_weights_o(run_weights_o), .run_drain_o(run_drain_o), .row_o(row_o),
    .tile_rows_o(tile_rows_o), .tile_cols_o(tile_cols_o), .busy_o(busy_o), .stopped_o(stopped_o),
    .finished_o(finished_o)
  );

  (* keep *) wire [3:0] array_owed_q, y_owed_q;
  (* keep *) wire [2:0] state_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic [3:0]                owed_q;  // tiles whose weights are in and whose results are not all out
  logic                      before_q, done_q;
  logic [$clog2(Rows+1)-1:0] rows_q;
  logic [$clog2(Cols+1)-1:0] cols_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q   <= '0;
      before_q <= 1'b0;
    end else begin
      owed_q   <= owed_q + 4'(weights_done_i) - 4'(y_done_i);
      before_q <= owed_q != 0;
    end
  end

  always_ff @(posedge clk_i) begin
    rows_q <= tile_rows_o;
    cols_q <= tile_cols_o;
    done_q <= y_done_i;
  end

  always_comb begin
    // What the modules around it do: rows and weights only when called for, results only of tiles that are owed.
    if (!run_weights_o) assume (!weights_done_i);
    if (!run_rows_o) assume (!row_done_i);
    if (!run_rows_o && !run_weights_o) assume (error_i == '0);
    if (array_owed_q == 0) assume (!array_done_i);
    if (y_owed_q == 0) assume (!y_done_i);
    if (y_owed_q <= array_owed_q) assume (!y_done_i);  // a tile leaves the array before it leaves y
    if (y_owed_q == 4'd15) assume (!weights_done_i);
  end

  always_comb begin
    if (rst_ni) begin
      if (before_q && !done_q) assert (tile_rows_o == rows_q && tile_cols_o == cols_q);
      if (owed_q != 0) assert (run_drain_o);
      // What carries the induction.
      assert (owed_q == y_owed_q && y_owed_q >= array_owed_q);
      if (owed_q != 0) assert (state_q == 3'd2 || state_q == 3'd3);
    end
  end

endmodule
