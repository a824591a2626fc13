// fpsim_pipeline_control with one register per stage: nothing is lost, doubled or reordered, what is offered stays.
//
// The marked word of fifo.sv travels from stage to stage; place_q is a one-hot picture of where the loads took it.

module proof #(
  parameter int Stages = 4,
  parameter int W      = 2
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         in_valid_i,
  input  logic [W-1:0] data_i,
  input  logic         out_ready_i,
  input  logic         mark_i
);

  logic              in_ready_o, out_valid_o;
  logic [Stages-1:0] load;

  fpsim_pipeline_control #(.Stages(Stages)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .in_valid_i(in_valid_i), .in_ready_o(in_ready_o),
    .out_valid_o(out_valid_o), .out_ready_i(out_ready_i), .load_o(load)
  );

  (* keep *) wire [Stages-1:0] valid_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic push, pop;
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  // The pipeline whose registers take their input where load says so.
  logic [(Stages+1)*W-1:0] data;  // the input, then the stages
  logic [Stages*W-1:0]     data_q;
  assign data = {data_q, data_i};
  for (genvar s = 0; s < Stages; s++) begin : gen_stage
    always_ff @(posedge clk_i) if (load[s]) data_q[s*W +: W] <= data[s*W +: W];
  end

  logic              marked_q, before_q;
  logic [7:0]        held_q, ahead_q;
  logic [Stages-1:0] place_q;
  logic [W-1:0]      marked_data_q, before_data_q, data_o;
  assign data_o = data_q[(Stages-1)*W +: W];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      marked_q <= 1'b0;
      held_q   <= '0;
      before_q <= 1'b0;
    end else begin
      held_q   <= held_q + 8'(push) - 8'(pop);
      before_q <= out_valid_o && !out_ready_i;
      if (marked_q && pop && ahead_q == '0) marked_q <= 1'b0;
      else if (!marked_q && push && mark_i) marked_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    before_data_q <= data_o;
    if (marked_q) begin
      ahead_q <= ahead_q - 8'(pop);
      for (int s = 1; s < Stages; s++) begin
        if (place_q[s-1] && load[s]) place_q <= place_q << 1;
      end
    end else begin
      ahead_q       <= held_q - 8'(pop);
      marked_data_q <= data_i;
      place_q       <= 1;
    end
  end

  logic [7:0] held, ahead;  // counted from the stages
  always_comb begin
    held  = 0;
    ahead = 0;
    for (int s = 0; s < Stages; s++) begin
      held = held + 8'(valid_q[s]);
      if (valid_q[s] && (Stages'(1) << s) > place_q) ahead = ahead + 8'd1;
    end
  end

  always_comb begin
    if (rst_ni) begin
      assert (in_ready_o || held_q == Stages);     // gaps close: it refuses a word only when every stage holds one
      assert (!out_valid_o || held_q != 0);
      if (marked_q && pop && ahead_q == '0) assert (data_o == marked_data_q);
      if (before_q) assert (out_valid_o && data_o == before_data_q);
      // What carries the induction.
      assert (held_q == held);
      if (marked_q) begin
        assert (ahead_q == ahead && place_q != 0 && (place_q & (place_q - 1)) == 0);
        assert ((valid_q & place_q) != 0);
        for (int s = 0; s < Stages; s++) begin
          if (place_q[s]) assert (data_q[s*W +: W] == marked_data_q);
        end
      end
    end
  end

endmodule
