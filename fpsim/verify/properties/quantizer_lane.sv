// fpsim_quantizer_lane: the code counts the thresholds that odd * |h| reaches, for any thresholds that ascend.

module proof #(
  parameter int W = 21
) (
  input logic signed [W-1:0] h_i,
  input logic [7*(W+2)-1:0]  thresholds_i,
  input logic [1:0]          fmt_i
);

  localparam int ScaledW = W + 2;

  logic [3:0] code_o;

  fpsim_quantizer_lane #(.W(W), .ScaledW(ScaledW)) dut (
    .h_i(h_i), .times_3_i(fmt_i == 2'd0), .times_7_i(fmt_i[1]), .complement_i(fmt_i == 2'd3),
    .thresholds_i(thresholds_i), .code_o(code_o)
  );

  logic [63:0] scaled, threshold;
  logic [3:0]  index;

  always_comb begin
    scaled = h_i < 0 ? -(64'(h_i)) : 64'(h_i);
    case (fmt_i)
      2'd0:    scaled = 3 * scaled;
      2'd1:    scaled = scaled;
      default: scaled = 7 * scaled;
    endcase
    index = 0;
    for (int i = 0; i < 7; i++) begin
      threshold = 64'(thresholds_i[i*ScaledW +: ScaledW]);
      if (i < 6) assume (threshold <= 64'(thresholds_i[(i+1)*ScaledW +: ScaledW]));
      if (scaled >= threshold) index = index + 4'd1;
    end
    if (fmt_i == 2'd3) assert (code_o == (h_i < 0 ? -index : index));
    else               assert (code_o == {h_i < 0, index[2:0]});
  end

endmodule
