// Multiplier of two's complement integers by Baugh and Wooley, for comparison with the FP4 one; no part of the machine.
//
//   product = a * b, modulo 2^(AW + BW), which holds every product
//
// The partial products of exactly one sign bit are inverted, which turns their weight; constants mend the rest:
//
//   product = sum of rows + 2^(AW-1) + 2^(BW-1) + 2^(AW+BW-1)
//
// Source: C. R. Baugh and B. A. Wooley, IEEE Transactions on Computers C-22 (1973), in its usual modified form.
// Latency: combinational. Throughput: one product. Overflow: none. Python twin: none (tests hold it to a * b).

`default_nettype none

module fpsim_compare_baugh_wooley #(
  parameter int AW = 8,  // bits of a, 2 or more
  parameter int BW = 8   // bits of b, 2 or more
) (
  input  logic [AW-1:0]    a_i,
  input  logic [BW-1:0]    b_i,
  output logic [AW+BW-1:0] product_o
);

  localparam int PRODUCT_W = AW + BW;
  localparam logic [PRODUCT_W-1:0] MEND = (PRODUCT_W'(1) << (AW - 1)) + (PRODUCT_W'(1) << (BW - 1))
                                        + (PRODUCT_W'(1) << (PRODUCT_W - 1));

  logic [PRODUCT_W-1:0] sum [0:BW];

  assign sum[0] = MEND;

  for (genvar j = 0; j < BW; j++) begin : gen_row
    // Row j: a under bit j of b; its top bit inverted, but in the last row all the others instead.
    localparam logic [AW-1:0] TURN = j == BW - 1 ? {1'b0, {(AW-1){1'b1}}} : {1'b1, {(AW-1){1'b0}}};

    logic [AW-1:0] row;

    assign row      = (a_i & {AW{b_i[j]}}) ^ TURN;
    assign sum[j+1] = sum[j] + (PRODUCT_W'(row) << j);
  end

  assign product_o = sum[BW];

endmodule

`default_nettype wire
