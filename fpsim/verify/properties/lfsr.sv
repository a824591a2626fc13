// fpsim_lfsr: a step gives the next Bits bits of b_n = b_(n-31) ^ b_(n-28), told one bit at a time, from any state.

module proof #(
  parameter int Bits = 32
) (
  input logic        clk_i, rst_ni, seed_en_i, step_i,
  input logic [30:0] seed_i
);

  logic [Bits-1:0] bits_o;

  fpsim_lfsr #(.Bits(Bits)) dut (.*);

  (* keep *) wire [30:0] state_q;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;

  logic [30:0]     register_q, line;  // the oldest bit lowest
  logic [Bits-1:0] drawn;
  logic            next_bit;

  always_comb begin
    line  = register_q;
    drawn = '0;
    for (int i = 0; i < Bits; i++) begin
      next_bit = line[0] ^ line[3];
      drawn[i] = next_bit;
      line     = {next_bit, line[30:1]};
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)        register_q <= 31'h7FFFFFFF;
    else if (seed_en_i) register_q <= seed_i == 0 ? 31'h7FFFFFFF : seed_i;
    else if (step_i)    register_q <= line;
  end

  always_comb begin
    if (!started) assume (!rst_ni);
    if (started || !rst_ni) begin
      assert (bits_o == drawn);
      assert (state_q == register_q && state_q != 0);
    end
  end

endmodule
