// fpsim_quantizer_thresholds with fpsim_quantizer_lane: the contract's comparisons, one by one, without a division.

module proof #(
  parameter int W = 12
) (
  input logic signed [W-1:0] h_i,
  input logic [W-1:0]        amp_i,
  input logic [1:0]          fmt_i
);

  localparam int ScaledW = W + 2;

  logic [7*ScaledW-1:0] thresholds;
  logic [3:0]           code_o;

  fpsim_quantizer_thresholds #(.W(W), .ScaledW(ScaledW), .Formats(15)) u_thresholds (
    .amp_i(amp_i), .fmt_i(fmt_i), .thresholds_o(thresholds)
  );
  fpsim_quantizer_lane #(.W(W), .ScaledW(ScaledW)) u_lane (
    .h_i(h_i), .times_3_i(fmt_i == 2'd0), .times_7_i(fmt_i[1]), .complement_i(fmt_i == 2'd3),
    .thresholds_i(thresholds), .code_o(code_o)
  );

  // The contract's table of levels, in units.
  function automatic logic [63:0] level(input logic [1:0] fmt, input int i);
    case (fmt)
      2'd0:    level = i < 4 ? i : i == 4 ? 4 : i == 5 ? 6 : i == 6 ? 8 : 12;
      2'd1:    level = i == 0 ? 0 : 64'd1 << (i - 1);
      default: level = i;
    endcase
  endfunction

  logic [63:0] magnitude, left, right;
  logic [3:0]  index;

  always_comb begin
    magnitude = h_i < 0 ? -(64'(h_i)) : 64'(h_i);
    left      = 2 * level(fmt_i, 7) * magnitude;
    index     = 0;
    for (int i = 0; i < 7; i++) begin
      right = (level(fmt_i, i) + level(fmt_i, i + 1)) * 64'(amp_i);
      if (left > right || (left == right && (fmt_i == 2'd1 ? i >= 1 : i % 2 == 1))) index = index + 4'd1;
    end
    if (amp_i == 0) index = 0;
    if (fmt_i == 2'd3) assert (code_o == (h_i < 0 ? -index : index));
    else               assert (code_o == {h_i < 0, index[2:0]});
  end

endmodule
