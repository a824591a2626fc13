// Configuration registers of a layer, and whether what they hold is legal. rtl/README.md has the map.
//
// write_i comes only while no layer runs, and only for a word that exists (owned_o).
// Latency: 1 from a write to its effect; reads and the verdict are of the present cycle. Throughput: one access per cycle.
// Overflow: none. Reset: all 0. Python twin: fpsim/array/top.py (Setup).

`default_nettype none

module fpsim_top_config #(
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Wide      = 1,  // 1: INT6 and INT8 too
  parameter int Zeros     = 1,  // 1: zero points too
  parameter int Outer     = 1,  // 1: rotations across beats too
  parameter int KMax      = 4608
) (
  input  logic                              clk_i,
  input  logic                              rst_ni,
  input  logic [9:0]                        write_at_i,
  output logic                              owned_o,     // write_at_i is one of these words
  input  logic                              write_i,
  input  logic [31:0]                       write_data_i,
  input  logic [9:0]                        read_at_i,
  output logic                              found_o,     // read_at_i is one of these words
  output logic [31:0]                       read_data_o,
  output logic [7:0]                        error_o,     // of a start, 0: none
  output logic [15:0]                       m_o,
  output logic [15:0]                       n_o,
  output logic [15:0]                       k_o,
  output logic [fpsim_row_pkg::QUANT_W-1:0] a_fmt_o,
  output logic [fpsim_row_pkg::QUANT_W-1:0] b_fmt_o,
  // {base and points of the outer rotation, zero points of the weights, of the rows, static, rotate}
  output logic [12:0]                       recipe_o,
  output logic [fpsim_pkg::FP16_EXP_W-1:0]  exp_o,
  output logic [31:0]                       amp_o,
  output logic [7:0]                        zero_o
);

  localparam logic [9:0] AT_M = 10'd7, AT_N = 10'd8, AT_K = 10'd9, AT_FORMATS = 10'd10, AT_RECIPE = 10'd11;
  localparam logic [9:0] AT_EXP = 10'd12, AT_AMP = 10'd13, AT_ZERO = 10'd14, AT_OUTER = 10'd15;

  logic [31:0] m_q, n_q, k_q, exp_q, amp_q, zero_q;
  logic [5:0]  formats_q;  // {weights, activations}
  logic [3:0]  recipe_q;
  logic [24:0] outer_q;  // {blocks, base, points}

  assign owned_o = write_at_i >= AT_M && write_at_i <= AT_OUTER;
  assign found_o = read_at_i >= AT_M && read_at_i <= AT_OUTER;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {m_q, n_q, k_q, exp_q, amp_q, zero_q, formats_q, recipe_q, outer_q} <= '0;
    end else if (write_i) begin
      case (write_at_i)
        AT_M:       m_q       <= write_data_i;
        AT_N:       n_q       <= write_data_i;
        AT_K:       k_q       <= write_data_i;
        AT_FORMATS: formats_q <= {write_data_i[6:4], write_data_i[2:0]};
        AT_RECIPE:  recipe_q  <= write_data_i[3:0];
        AT_EXP:     exp_q     <= write_data_i;
        AT_AMP:     amp_q     <= write_data_i;
        AT_ZERO:    zero_q    <= write_data_i;
        default:    outer_q   <= {write_data_i[31:16], write_data_i[9:8], write_data_i[6:0]};
      endcase
    end
  end

  always_comb begin
    case (read_at_i)
      AT_M:       read_data_o = m_q;
      AT_N:       read_data_o = n_q;
      AT_K:       read_data_o = k_q;
      AT_FORMATS: read_data_o = {25'd0, formats_q[5:3], 1'b0, formats_q[2:0]};
      AT_RECIPE:  read_data_o = {28'd0, recipe_q};
      AT_EXP:     read_data_o = exp_q;
      AT_AMP:     read_data_o = amp_q;
      AT_ZERO:    read_data_o = zero_q;
      default:    read_data_o = {outer_q[24:9], 6'd0, outer_q[8:7], 1'b0, outer_q[6:0]};
    endcase
  end

  fpsim_top_check #(
    .Formats(Formats), .GuardBits(GuardBits), .HadamardN(HadamardN), .Wide(Wide), .Zeros(Zeros), .Outer(Outer),
    .KMax(KMax)
  ) u_check (
    .m_i     (m_q),
    .n_i     (n_q),
    .k_i     (k_q),
    .a_fmt_i (a_fmt_o),
    .b_fmt_i (b_fmt_o),
    .recipe_i(recipe_q),
    .outer_i (outer_q),
    .exp_i   (exp_q),
    .amp_i   (amp_q),
    .zero_i  (zero_q),
    .error_o (error_o)
  );

  assign m_o                = m_q[15:0];
  assign n_o                = n_q[15:0];
  assign k_o                = k_q[15:0];
  assign {b_fmt_o, a_fmt_o} = formats_q;
  assign recipe_o           = {outer_q[8:0], recipe_q};
  assign exp_o              = exp_q[fpsim_pkg::FP16_EXP_W-1:0];
  assign amp_o              = amp_q;
  assign zero_o             = zero_q[7:0];

endmodule

`default_nettype wire
