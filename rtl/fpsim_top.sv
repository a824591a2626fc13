// The accelerator: y = W x + b on FP16 rows, behind AXI4-Lite (registers) and AXI4-Stream (x, w, y).
//
//   s_axil ─► top_axil ─► top_regs ─┐
//   s_axis_x ───────────────────────┼─► core ─► m_axis_y
//   s_axis_w ───────────────────────┘
//
// Register map and layout of the streams: rtl/README.md, "top". Buses have the names of ARM IHI 0022 (AXI4-Lite) and
// ARM IHI 0051 (AXI4-Stream), so that their signals carry no _i and _o; clk_i is ACLK, rst_ni is ARESETn.
// Every output is a function of registers alone; valid waits for no ready and stays until it. The streams wait for one
// another: a tile's weights are taken only after its rows, the next rows only after all results of the rows before.
//
// Latency and Throughput: fpsim/array/top_cycles.py. Overflow: that of the units. An illegal start or an error in the data
// sets an error code. Python twin: fpsim/array/top.py; what it computes: fpsim/array/reference.py.

`default_nettype none

module fpsim_top #(
  parameter int Rows      = fpsim_pkg::ROWS,
  parameter int Cols      = fpsim_pkg::COLS,
  parameter int Formats   = fpsim_pkg::FORMATS,
  parameter int AccW      = fpsim_pkg::ACC_W,
  parameter int GuardBits = fpsim_pkg::GUARD_BITS,
  parameter int HadamardN = fpsim_pkg::HADAMARD_N,
  parameter int Saturate  = fpsim_pkg::SATURATE,
  parameter int Overlap   = fpsim_pkg::OVERLAP,
  parameter int ProductCut = fpsim_pkg::PRODUCT_CUT,   // pipeline cuts of the array
  parameter int HadamardCut = fpsim_pkg::HADAMARD_CUT, // and of the Hadamard engine
  parameter int Outer     = 1,    // 1: rotations across beats too
  parameter int KMax      = 4608  // multiple of 32, of HadamardN, >= 2 of it
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  // AXI4-Lite slave: registers
  input  logic [11:0]      s_axil_awaddr,
  input  logic [2:0]       s_axil_awprot,
  input  logic             s_axil_awvalid,
  output logic             s_axil_awready,
  input  logic [31:0]      s_axil_wdata,
  input  logic [3:0]       s_axil_wstrb,
  input  logic             s_axil_wvalid,
  output logic             s_axil_wready,
  output logic [1:0]       s_axil_bresp,
  output logic             s_axil_bvalid,
  input  logic             s_axil_bready,
  input  logic [11:0]      s_axil_araddr,
  input  logic [2:0]       s_axil_arprot,
  input  logic             s_axil_arvalid,
  output logic             s_axil_arready,
  output logic [31:0]      s_axil_rdata,
  output logic [1:0]       s_axil_rresp,
  output logic             s_axil_rvalid,
  input  logic             s_axil_rready,
  // AXI4-Stream slave: rows
  input  logic [HadamardN*fpsim_pkg::FP16_W-1:0] s_axis_x_tdata,
  input  logic             s_axis_x_tvalid,
  output logic             s_axis_x_tready,
  input  logic             s_axis_x_tlast,
  // AXI4-Stream slave: weights
  input  logic [8*((4*Cols > 40 ? 4*Cols + 7 : 40)/8)-1:0] s_axis_w_tdata,
  input  logic             s_axis_w_tvalid,
  output logic             s_axis_w_tready,
  input  logic             s_axis_w_tlast,
  // AXI4-Stream master: results
  output logic [Cols*fpsim_pkg::FP16_W-1:0] m_axis_y_tdata,
  output logic [2*Cols-1:0] m_axis_y_tkeep,
  output logic             m_axis_y_tvalid,
  input  logic             m_axis_y_tready,
  output logic             m_axis_y_tlast
);

  localparam int W_BEAT_W = 8 * ((4 * Cols > 40 ? 4 * Cols + 7 : 40) / 8);
  // INT6 and INT8 go through the array as nibbles: with INT4, in accumulators that wrap. Sums without zero points then fit
  // the epilogue's 40 bits.
  localparam int WIDE   = int'(fpsim_pkg::has_format(Formats, fpsim_pkg::FMT_INT4) && Saturate == 0);
  localparam int ZEROS  = int'(WIDE != 0 && AccW <= 38);
  // What the host reads of the build.
  localparam int BUILD0 = Rows + (Cols << 8) + (HadamardN << 16) + (Formats << 24) + (Saturate << 28) + (Overlap << 29)
                        + (Outer << 30);
  localparam int BUILD1 = AccW + (GuardBits << 8) + (KMax << 16);

  logic unused_protection;
  assign unused_protection = ^{s_axil_awprot, s_axil_arprot};

  logic        write, write_error, read_error, sign_write, start, clear;
  logic [9:0]  write_at, read_at;
  logic [31:0] write_data, read_data;

  fpsim_top_axil #(.AddrW(12)) u_axil (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .awaddr_i     (s_axil_awaddr),
    .awvalid_i    (s_axil_awvalid),
    .awready_o    (s_axil_awready),
    .wdata_i      (s_axil_wdata),
    .wstrb_i      (s_axil_wstrb),
    .wvalid_i     (s_axil_wvalid),
    .wready_o     (s_axil_wready),
    .bresp_o      (s_axil_bresp),
    .bvalid_o     (s_axil_bvalid),
    .bready_i     (s_axil_bready),
    .araddr_i     (s_axil_araddr),
    .arvalid_i    (s_axil_arvalid),
    .arready_o    (s_axil_arready),
    .rdata_o      (s_axil_rdata),
    .rresp_o      (s_axil_rresp),
    .rvalid_o     (s_axil_rvalid),
    .rready_i     (s_axil_rready),
    .write_o      (write),
    .write_at_o   (write_at),
    .write_data_o (write_data),
    .write_error_i(write_error),
    .read_at_o    (read_at),
    .read_data_i  (read_data),
    .read_error_i (read_error)
  );

  logic                             busy, stopped, finished;
  logic [12:0]                      recipe;
  logic [7:0]                       data_error, zero;
  logic [15:0]                      m, n, k;
  logic [fpsim_row_pkg::QUANT_W-1:0] a_fmt, b_fmt;
  logic [fpsim_pkg::FP16_EXP_W-1:0] exponent;
  logic [31:0]                      amplitude;

  fpsim_top_regs #(
    .Formats(Formats), .GuardBits(GuardBits), .HadamardN(HadamardN), .Wide(WIDE), .Zeros(ZEROS), .Outer(Outer),
    .KMax(KMax), .Build0(BUILD0), .Build1(BUILD1)
  ) u_regs (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .write_i      (write),
    .write_at_i   (write_at),
    .write_data_i (write_data),
    .write_error_o(write_error),
    .read_at_i    (read_at),
    .read_data_o  (read_data),
    .read_error_o (read_error),
    .sign_write_o (sign_write),
    .start_o      (start),
    .clear_o      (clear),
    .busy_i       (busy),
    .stopped_i    (stopped),
    .finished_i   (finished),
    .data_error_i (data_error),
    .offered_i    (m_axis_y_tvalid && !m_axis_y_tready),
    .m_o          (m),
    .n_o          (n),
    .k_o          (k),
    .a_fmt_o      (a_fmt),
    .b_fmt_o      (b_fmt),
    .recipe_o     (recipe),
    .exp_o        (exponent),
    .amp_o        (amplitude),
    .zero_o       (zero)
  );

  fpsim_core #(
    .Rows(Rows), .Cols(Cols), .Formats(Formats), .AccW(AccW), .GuardBits(GuardBits), .HadamardN(HadamardN),
    .Saturate(Saturate), .Overlap(Overlap), .Wide(WIDE), .Zeros(ZEROS), .Outer(Outer), .KMax(KMax),
    .ProductCut(ProductCut), .HadamardCut(HadamardCut), .WBeatW(W_BEAT_W)
  ) u_core (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni && !clear),
    .start_i          (start),
    .busy_o           (busy),
    .stopped_o        (stopped),
    .finished_o       (finished),
    .error_o          (data_error),
    .m_i              (m),
    .n_i              (n),
    .k_i              (k),
    .a_fmt_i          (a_fmt),
    .b_fmt_i          (b_fmt),
    .recipe_i         (recipe),
    .exp_i            (exponent),
    .amp_i            (amplitude),
    .zero_i           (zero),
    .sign_write_i     (sign_write),
    .sign_write_at_i  (write_at[8:0]),
    .sign_write_data_i(write_data),
    .x_valid_i        (s_axis_x_tvalid),
    .x_ready_o        (s_axis_x_tready),
    .x_data_i         (s_axis_x_tdata),
    .x_last_i         (s_axis_x_tlast),
    .w_valid_i        (s_axis_w_tvalid),
    .w_ready_o        (s_axis_w_tready),
    .w_data_i         (s_axis_w_tdata),
    .w_last_i         (s_axis_w_tlast),
    .y_valid_o        (m_axis_y_tvalid),
    .y_ready_i        (m_axis_y_tready),
    .y_data_o         (m_axis_y_tdata),
    .y_keep_o         (m_axis_y_tkeep),
    .y_last_o         (m_axis_y_tlast)
  );

endmodule

`default_nettype wire
