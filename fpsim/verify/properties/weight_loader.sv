// fpsim_weight_loader at the stream w: every beat that is taken goes to one place once, none else does, and in order.
//
// Counted beside it: beats of the tile that were taken, of scales, of zero points, of codes.

module proof #(
  parameter int Cols = 3
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        run_i,
  input  logic [15:0] k_i,
  input  logic        a_wide_i,
  input  logic        b_wide_i,
  input  logic        zeros_i,
  input  logic        w_valid_i,
  input  logic        w_last_i,
  input  logic        beat_ready_i
);

  logic                    w_ready_o, scale_en_o, zero_en_o, read_en_o, read_low_o, beat_valid_o, beat_first_o;
  logic                    beat_shift_o, beat_last_o, a_low_o, b_low_o, tile_done_o;
  logic [$clog2(Cols)-1:0] col_o;
  logic [15:0]             read_k_o;
  logic [7:0]              error_o;

  fpsim_weight_loader #(.Cols(Cols)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .run_i(run_i), .k_i(k_i), .a_wide_i(a_wide_i), .b_wide_i(b_wide_i),
    .zeros_i(zeros_i), .w_valid_i(w_valid_i), .w_ready_o(w_ready_o), .w_last_i(w_last_i), .scale_en_o(scale_en_o),
    .zero_en_o(zero_en_o), .col_o(col_o), .read_en_o(read_en_o), .read_k_o(read_k_o), .read_low_o(read_low_o),
    .beat_valid_o(beat_valid_o), .beat_ready_i(beat_ready_i), .beat_first_o(beat_first_o),
    .beat_shift_o(beat_shift_o), .beat_last_o(beat_last_o), .a_low_o(a_low_o), .b_low_o(b_low_o),
    .tile_done_o(tile_done_o), .error_o(error_o)
  );

  (* keep *) wire [1:0]              state_q;
  (* keep *) wire [$clog2(Cols)-1:0] col_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic taken, handed;
  assign taken  = w_valid_i && w_ready_o;
  assign handed = beat_valid_o && beat_ready_i;

  logic [7:0] scales_q, zeros_q;  // of this tile
  logic       codes_q;            // it is at its codes

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scales_q <= '0;
      zeros_q  <= '0;
      codes_q  <= 1'b0;
    end else begin
      if (scale_en_o) scales_q <= scales_q + 8'd1;
      if (zero_en_o) zeros_q <= zeros_q + 8'd1;
      if (handed) codes_q <= 1'b1;
      if (tile_done_o) begin
        scales_q <= '0;
        zeros_q  <= '0;
        codes_q  <= 1'b0;
      end
    end
  end

  logic zeros_before_q, fault_q;
  always_ff @(posedge clk_i) begin
    zeros_before_q <= zeros_i;
    fault_q        <= rst_ni && (error_o != '0 || fault_q);
  end

  always_comb begin
    // The layer's shape stays, and after a fault the loader is reset.
    assume (k_i != '0);
    if (started) assume (zeros_i == zeros_before_q);
    if (fault_q) assume (!rst_ni);
  end

  always_comb begin
    if (rst_ni) begin
      // One place for every beat that is taken, none for another; a faulty beat is told and goes nowhere as a code.
      if (!taken) assert (!scale_en_o && !zero_en_o && !handed && !tile_done_o && error_o == '0);
      if (taken && error_o == '0) assert ((2'(scale_en_o) + 2'(zero_en_o) + 2'(handed)) == 2'd1);
      if (error_o != '0) assert (!handed && !tile_done_o);
      // In order: the columns' scales, then their zero points, then codes.
      if (scale_en_o) assert (8'(col_o) == scales_q && scales_q < Cols && zeros_q == '0 && !codes_q);
      if (zero_en_o) assert (zeros_i && 8'(col_o) == zeros_q && zeros_q < Cols && scales_q == Cols && !codes_q);
      if (handed) assert (scales_q == Cols && zeros_q == (zeros_i ? Cols : 0));
      if (tile_done_o) assert (handed && beat_last_o && w_last_i);
      // What carries the induction: scales 0, zero points 1, codes 2.
      assert (fault_q || (state_q == 2'd0 && 8'(col_q) == scales_q && scales_q < Cols && zeros_q == '0 && !codes_q)
              || (state_q == 2'd1 && 8'(col_q) == zeros_q && zeros_q < Cols && scales_q == Cols && !codes_q && zeros_i)
              || (state_q == 2'd2 && col_q == '0 && scales_q == Cols && zeros_q == (zeros_i ? Cols : 0)));
    end
  end

endmodule
