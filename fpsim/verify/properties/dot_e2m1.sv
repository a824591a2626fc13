// fpsim_dot_e2m1, its registers left out: the sum of the products of the codes' values, in quarters.

module proof #(
  parameter int Lanes = 8
) (
  input logic               clk_i,
  input logic [Lanes*4-1:0] a_codes_i, b_codes_i
);

  logic signed [9+$clog2(Lanes)-1:0] dot_o;

  fpsim_dot_e2m1 #(.Lanes(Lanes)) dut (
    .clk_i(clk_i), .load_i(2'b11), .a_codes_i(a_codes_i), .b_codes_i(b_codes_i), .dot_o(dot_o)
  );

  // OCP MX E2M1 in halves: 0 0.5 1 1.5 2 3 4 6.
  function automatic logic signed [8:0] halves(input logic [3:0] code);
    case (code[2:0])
      3'd5:    halves = 9'sd6;
      3'd6:    halves = 9'sd8;
      3'd7:    halves = 9'sd12;
      default: halves = $signed({6'd0, code[2:0]});
    endcase
    if (code[3]) halves = -halves;
  endfunction

  // Added in the order of the groups of 4, or the solver has to find out that the order does not matter.
  logic signed [31:0] level [0:2*Lanes-2];

  (* keep *) wire [Lanes*9-1:0] products;

  always_comb begin
    for (int i = 0; i < Lanes; i++) begin
      level[Lanes-1+i] = halves(a_codes_i[i*4 +: 4]) * halves(b_codes_i[i*4 +: 4]);
      assert ($signed(products[i*9 +: 9]) == level[Lanes-1+i]);
    end
    for (int i = Lanes - 2; i >= 0; i--) level[i] = level[2*i+1] + level[2*i+2];
    assert (32'(dot_o) == level[0]);
  end

endmodule
