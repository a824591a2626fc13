// One lane's rounding of fpsim_wide_quantizer: x = top * |h| / A to a code.
//
//   x            iiiiiiii.rrrrrrrr | rest        levels 2^s apart around x, s by the format and the leading 1 of x
//   x >> s       LLLLLLLL.ffffffff | rest        index below = L + s (E3M0), L + 2s (E2M1), L
//
//   nearest      up where f is above a half, or a half and L odd (E3M0: L not 0)
//   stochastic   up where f + random carries
//
// Latency: combinational. Throughput: one number. Overflow: saturates. Python twin: fpsim/arith/stochastic_quantizer.py.

`default_nettype none

module fpsim_wide_quantizer_round #(
  parameter int RandomBits = 8  // places of x below the point
) (
  input  logic [8+RandomBits-1:0] quotient_i,
  input  logic                    rest_i,
  input  logic                    negative_i,
  input  logic                    above_i,       // |h| >= A: the top index
  input  logic                    zero_amp_i,    // A = 0: index 0
  input  logic [RandomBits-1:0]   random_i,
  input  logic [2:0]              format_i,
  input  logic                    asymmetric_i,
  input  logic [7:0]              zero_i,
  input  logic                    stochastic_i,
  output logic [3:0]              high_o,
  output logic [3:0]              low_o
);

  localparam int X_W = 8 + RandomBits;

  // ---------------------------------
  // Format
  // ---------------------------------
  logic       is_e2m1, is_e3m0, sign_magnitude;
  logic [7:0] half_range;  // 2^(b-1)

  assign is_e2m1        = format_i == fpsim_row_pkg::QUANT_E2M1;
  assign is_e3m0        = format_i == fpsim_row_pkg::QUANT_E3M0;
  assign sign_magnitude = is_e2m1 || is_e3m0 || format_i == fpsim_row_pkg::QUANT_E1M2;
  assign half_range     = format_i == fpsim_row_pkg::QUANT_INT8 ? 8'd128
                        : format_i == fpsim_row_pkg::QUANT_INT6 ? 8'd32 : 8'd8;

  // ---------------------------------
  // Spacing of the levels around x: 2^s
  // ---------------------------------
  logic [2:0] top, spacing;  // index of the leading 1 of i, 0 for i = 0; s

  always_comb begin
    top = '0;
    for (int i = 0; i < 6; i++) begin
      if (quotient_i[RandomBits+i]) top = 3'(i);
    end
    spacing = '0;
    if (is_e3m0) spacing = top;
    if (is_e2m1 && top >= 3'd2) spacing = top - 3'd1;
  end

  // ---------------------------------
  // Round
  // ---------------------------------
  logic [X_W-1:0]        shifted, back;
  logic [7:0]            whole, below, index;
  logic [RandomBits-1:0] place;
  logic [RandomBits:0]   reach;
  logic                  sticky, tie_up, up;
  logic                  unused_reach;

  assign shifted = quotient_i >> spacing;
  assign back    = shifted << spacing;
  assign {whole, place} = shifted;
  // What lies below the half: places under the highest, places shifted out, and the rest.
  assign sticky  = (place << 1) != '0 || back != quotient_i || rest_i;
  assign tie_up  = is_e3m0 ? whole != '0 : whole[0];
  assign reach   = {1'b0, place} + {1'b0, random_i};
  assign up      = stochastic_i ? reach[RandomBits] : place[RandomBits-1] && (sticky || tie_up);
  assign unused_reach = ^reach[RandomBits-1:0];

  assign below = whole + (is_e3m0 ? {5'd0, spacing} : {4'd0, spacing, 1'b0});
  assign index = below + {7'd0, up};

  // ---------------------------------
  // Code
  // ---------------------------------
  logic [7:0]        largest, chosen;
  logic signed [9:0] steps, sum, lowest, highest, code;

  assign largest = sign_magnitude ? 8'd7 : asymmetric_i ? (half_range << 1) - 8'd1 : half_range - 8'd1;
  assign chosen  = zero_amp_i ? 8'd0 : above_i ? largest : index;
  assign steps   = ({2'b0, chosen} ^ {10{negative_i}}) + 10'(negative_i);
  assign sum     = steps + $signed({{2{zero_i[7]}}, zero_i} & {10{asymmetric_i}});
  assign highest = $signed({2'b0, half_range}) - 10'sd1;
  assign lowest  = -$signed({2'b0, half_range});
  assign code    = sum > highest ? highest : sum < lowest ? lowest : sum;

  assign high_o = sign_magnitude ? 4'd0 : code[7:4];
  assign low_o  = sign_magnitude ? {negative_i, chosen[2:0]} : code[3:0];

  logic unused_code;
  assign unused_code = ^code[9:8];

endmodule

`default_nettype wire
