// Multiply-accumulate: the arithmetic of one processing element.
//
//   acc <- base + a * b, in units of the two steps' product, at every clock with en_i = 1
//
//   base = 0         first_i: first beat of a tile
//          16 * acc  shift_i: first beat of a pass of nibbles that weighs 1/16 of the pass before
//          acc       else
//
// ProductCut = 1 puts a register behind the multiplier; control waits with the product.
// Latency: 1 + ProductCut (acc_o is the register). Throughput: one product per cycle.
// Overflow: Saturate = 0 wraps, modulo 2^AccW in two's complement. 26 bits hold every mix of 4-bit formats at K = 4608.
// Saturate = 1 clamps every sum to -2^(AccW-1) .. 2^(AccW-1) - 1.
// Passes need INT4 among Formats and Saturate = 0 (clamping partial products means nothing); else shift_i is ignored.
// Reset: acc = 0, and what waits behind the multiplier is dropped. Python twin: fpsim/arith/mac.py.

`default_nettype none

module fpsim_mac #(
  parameter int AccW     = fpsim_pkg::ACC_W,    // accumulator width, 9 to 40
  parameter int Formats  = fpsim_pkg::FORMATS,  // bit f: selector f is built in
  parameter int Saturate = fpsim_pkg::SATURATE, // 0: wrap, 1: clamp every sum
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT // 1: register between product and sum
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic                          en_i,
  input  logic                          first_i,
  input  logic                          shift_i,
  input  logic                          a_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]   a_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0] a_shift_i,
  input  logic                          b_neg_i,
  input  logic [fpsim_pkg::SIG_W-1:0]   b_sig_i,
  input  logic [fpsim_pkg::SHIFT_W-1:0] b_shift_i,
  output logic signed [AccW-1:0]        acc_o
);

  localparam logic PASSES = fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4) && Saturate == 0;

  logic signed [fpsim_pkg::PRODUCT_W-1:0] product_d, product;
  logic        [AccW-1:0]                 acc_d, acc_q, base;
  logic                                   unused;  // shift_i without passes; of a product wider than the accumulator

  fpsim_mul #(
    .Formats(Formats)
  ) u_mul (
    .a_neg_i  (a_neg_i),
    .a_sig_i  (a_sig_i),
    .a_shift_i(a_shift_i),
    .b_neg_i  (b_neg_i),
    .b_sig_i  (b_sig_i),
    .b_shift_i(b_shift_i),
    .product_o(product_d)
  );

  // ---------------------------------
  // Pipeline cut
  // ---------------------------------
  logic en, first, shift;

  if (ProductCut == 0) begin : gen_no_cut
    assign {en, first, shift} = {en_i, first_i, shift_i};
    assign product = product_d;
  end else begin : gen_cut
    logic                                   en_q, first_q, shift_q;
    logic signed [fpsim_pkg::PRODUCT_W-1:0] product_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        en_q <= 1'b0;
      end else begin
        en_q <= en_i;
      end
    end

    always_ff @(posedge clk_i) begin
      {first_q, shift_q} <= {first_i, shift_i};
      product_q <= product_d;
    end

    assign {en, first, shift} = {en_q, first_q, shift_q};
    assign product = product_q;
  end

  // ---------------------------------
  // What the product is added to
  // ---------------------------------
  if (PASSES) begin : gen_passes
    logic hold, lift;
    assign hold = !first && !shift;
    assign lift = !first && shift;
    assign base = (acc_q & {AccW{hold}}) | ({acc_q[AccW-5:0], 4'b0} & {AccW{lift}});
  end else begin : gen_one_pass
    assign base = acc_q & {AccW{~first}};
  end

  // ---------------------------------
  // Sum
  // ---------------------------------
  if (Saturate == 0) begin : gen_wrap
    // The product sign-extended, or its low bits where the accumulator is narrower: modulo 2^AccW either way.
    assign acc_d = base + AccW'(product);
  end else begin : gen_saturate
    // One bit more than the wider of the two: exact. It fits if all bits from the accumulator's sign up are equal.
    localparam int SUM_W = (AccW > fpsim_pkg::PRODUCT_W ? AccW : fpsim_pkg::PRODUCT_W) + 1;
    logic [SUM_W-1:0] sum;
    logic             fits;

    assign sum   = SUM_W'($signed(base)) + SUM_W'(product);
    assign fits  = &sum[SUM_W-1:AccW-1] || !(|sum[SUM_W-1:AccW-1]);
    assign acc_d = fits ? sum[AccW-1:0] : {sum[SUM_W-1], {(AccW-1){~sum[SUM_W-1]}}};
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_q <= '0;
    end else if (en) begin
      acc_q <= acc_d;
    end
  end

  assign acc_o  = acc_q;
  assign unused = ^{shift, product};

endmodule

`default_nettype wire
