// Hadamard transform of N integers with a sign vector, unnormalized and exact.
//
//   y = H (s * x),  H[i][j] = (-1)^popcount(i & j),  s[i] = -1 where signs_i[i] = 1
//
// Stage s joins elements 2^s apart and adds one bit:
//
//   x ─► negate ─► butterflies, stride 1 ─► register ─► stride 2 ─► register ─► ... ─► stride N/2 ─► register ─► y
//        InW                        InW+1                    InW+2                            InW+log2 N
//
// Cut = 1 has a register behind every stage, Cut = c one behind every c-th and the last.
// With enable_i = 0 a beat passes unchanged, sign-extended. enable_i and signs_i belong to the beat.
// Latency: log2 N / Cut, rounded up. Throughput: one beat per cycle; stalls while y waits.
// Overflow: none for |x| <= 2^(InW-1) - 1, what fpsim_align gives; -2^(InW-1) must not be negated.
// Data registers are not reset. Python twin: fpsim/arith/hadamard.py.

`default_nettype none

module fpsim_hadamard #(
  parameter int N   = fpsim_pkg::HADAMARD_N,       // elements of a block, a power of two from 2 on
  parameter int InW = 12 + fpsim_pkg::GUARD_BITS,  // bits of an aligned element
  parameter int Cut = fpsim_pkg::HADAMARD_CUT      // stages from register to register, 1 to log2 N
) (
  input  logic                           clk_i,
  input  logic                           rst_ni,
  input  logic                           enable_i,
  input  logic [N-1:0]                   signs_i,
  input  logic                           in_valid_i,
  output logic                           in_ready_o,
  input  logic [N*InW-1:0]               x_i,
  output logic                           out_valid_o,
  input  logic                           out_ready_i,
  output logic [N*(InW+$clog2(N))-1:0]   y_o
);

  localparam int STAGES    = $clog2(N);
  localparam int REGISTERS = (STAGES + Cut - 1) / Cut;

  logic [REGISTERS-1:0] load;

  fpsim_pipeline_control #(
    .Stages(REGISTERS)
  ) u_control (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .load_o     (load)
  );

  // ---------------------------------
  // Sign vector
  // ---------------------------------
  logic [N*InW-1:0] signed_x;

  for (genvar i = 0; i < N; i++) begin : gen_sign
    logic negate;
    assign negate = enable_i & signs_i[i];
    assign signed_x[i*InW +: InW] = (x_i[i*InW +: InW] ^ {InW{negate}}) + InW'(negate);
  end

  // ---------------------------------
  // Stages
  // ---------------------------------
  for (genvar s = 0; s < STAGES; s++) begin : gen_stage
    localparam int STAGE_W = InW + s;      // element before the stage
    localparam int GROWN_W = STAGE_W + 1;  // and after it

    logic [N*STAGE_W-1:0] stage_in;
    logic                 enable;
    logic [N*GROWN_W-1:0] data_d, stage_out;

    if (s == 0) begin : gen_input
      assign stage_in = signed_x;
      assign enable = enable_i;
    end else begin : gen_previous
      assign stage_in = gen_stage[s-1].stage_out;
      assign enable = gen_stage[s-1].gen_enable.enable_out;
    end

    for (genvar p = 0; p < N / 2; p++) begin : gen_pair
      localparam int LOW  = (p >> s << (s + 1)) + (p & ((1 << s) - 1));  // element without bit s
      localparam int HIGH = LOW + (1 << s);                             // the same with bit s

      fpsim_butterfly #(
        .W(STAGE_W)
      ) u_butterfly (
        .en_i  (enable),
        .a_i   (stage_in[LOW*STAGE_W +: STAGE_W]),
        .b_i   (stage_in[HIGH*STAGE_W +: STAGE_W]),
        .sum_o (data_d[LOW*GROWN_W +: GROWN_W]),
        .diff_o(data_d[HIGH*GROWN_W +: GROWN_W])
      );
    end

    if (s % Cut == Cut - 1 || s == STAGES - 1) begin : gen_register
      logic [N*GROWN_W-1:0] data_q;
      always_ff @(posedge clk_i) begin
        if (load[s / Cut]) data_q <= data_d;
      end
      assign stage_out = data_q;
    end else begin : gen_wire
      assign stage_out = data_d;
    end

    if (s < STAGES - 1) begin : gen_enable
      logic enable_out;
      if (s % Cut == Cut - 1) begin : gen_register
        logic enable_q;
        always_ff @(posedge clk_i) begin
          if (load[s / Cut]) enable_q <= enable;
        end
        assign enable_out = enable_q;
      end else begin : gen_wire
        assign enable_out = enable;
      end
    end
  end

  assign y_o = gen_stage[STAGES-1].stage_out;

endmodule

`default_nettype wire
