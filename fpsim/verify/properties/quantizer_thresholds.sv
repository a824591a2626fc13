// fpsim_quantizer_thresholds: a scaled magnitude s reaches threshold i where the contract's comparison i holds of it.
//
// With 2*l_7*|h| = s << shift the contract's 2*l_7*|h| > (l_i + l_(i+1))*A needs no product with h; s is free.

module proof #(
  parameter int W = 21
) (
  input logic [W+1:0] scaled_i,
  input logic [W-1:0] amp_i,
  input logic [1:0]   fmt_i
);

  localparam int ScaledW = W + 2;

  logic [7*ScaledW-1:0] thresholds_o;

  fpsim_quantizer_thresholds #(.W(W), .ScaledW(ScaledW), .Formats(15)) dut (
    .amp_i(amp_i), .fmt_i(fmt_i), .thresholds_o(thresholds_o)
  );

  function automatic logic [63:0] level(input logic [1:0] fmt, input int i);
    case (fmt)
      2'd0:    level = i < 4 ? i : i == 4 ? 4 : i == 5 ? 6 : i == 6 ? 8 : 12;
      2'd1:    level = i == 0 ? 0 : 64'd1 << (i - 1);
      default: level = i;
    endcase
  endfunction

  logic [63:0] left, right;
  logic        wanted;

  always_comb begin
    assume (64'(scaled_i) <= 64'd7 << (W - 1));  // 7 * |h|, the largest
    left = 64'(scaled_i) << (fmt_i == 2'd0 ? 3 : fmt_i == 2'd1 ? 7 : 1);  // 24 = 3 * 8, 128 = 1 * 128, 14 = 7 * 2
    for (int i = 0; i < 7; i++) begin
      right  = (level(fmt_i, i) + level(fmt_i, i + 1)) * 64'(amp_i);
      wanted = left > right || (left == right && (fmt_i == 2'd1 ? i >= 1 : i % 2 == 1));
      assert ((scaled_i >= thresholds_o[i*ScaledW +: ScaledW]) == (wanted && amp_i != 0));
      if (i != 0) assert (thresholds_o[i*ScaledW +: ScaledW] >= thresholds_o[(i-1)*ScaledW +: ScaledW]);
    end
  end

endmodule
