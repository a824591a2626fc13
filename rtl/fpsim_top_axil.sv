// AXI4-Lite slave of 32 bits (ARM IHI 0022, AXI4-Lite): turns its five channels into single register accesses.
//
//   AW ─► [address] ─┐                        AR ─► [address] ─► read_at_o ─► registers ─► [R]
//   W  ─► [data]    ─┴─► write_o, once ─► [B]
//
// Address and data of a write come in either order and are kept; the access happens when both are here and the answer
// before it has been taken. One write and one read at a time, each independent of the other.
// Every output comes from registers (A3.1.1: no path from an input to an output; A3.2.1: no valid waits for a ready).
// Strobes: all four bytes, or SLVERR and no access (chapter B1 leaves that choice). Protection bits are not looked at.
//
// Latency: 2 from the last of address and data to the answer. Throughput: one access in three cycles.
// Reset: no access on its way. Python twin: none (a bus protocol; the benches drive it with cocotbext-axi).

`default_nettype none

module fpsim_top_axil #(
  parameter int AddrW = 12  // bits of a byte address
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [AddrW-1:0] awaddr_i,
  input  logic             awvalid_i,
  output logic             awready_o,
  input  logic [31:0]      wdata_i,
  input  logic [3:0]       wstrb_i,
  input  logic             wvalid_i,
  output logic             wready_o,
  output logic [1:0]       bresp_o,
  output logic             bvalid_o,
  input  logic             bready_i,
  input  logic [AddrW-1:0] araddr_i,
  input  logic             arvalid_i,
  output logic             arready_o,
  output logic [31:0]      rdata_o,
  output logic [1:0]       rresp_o,
  output logic             rvalid_o,
  input  logic             rready_i,
  output logic             write_o,        // one cycle per write of a whole word
  output logic [AddrW-3:0] write_at_o,     // word address
  output logic [31:0]      write_data_o,
  input  logic             write_error_i,  // in the same cycle: refused
  output logic [AddrW-3:0] read_at_o,
  input  logic [31:0]      read_data_i,
  input  logic             read_error_i
);

  localparam logic [1:0] OKAY   = 2'b00;
  localparam logic [1:0] SLVERR = 2'b10;
  localparam int         WORD_W = AddrW - 2;

  logic unused_byte_addresses;
  assign unused_byte_addresses = ^{awaddr_i[1:0], araddr_i[1:0]};

  // ---------------------------------
  // Writes
  // ---------------------------------
  logic              has_address_q, has_data_q, whole_q, bvalid_q, execute;
  logic [WORD_W-1:0] write_at_q;
  logic [31:0]       data_q;
  logic [1:0]        bresp_q;

  assign execute      = has_address_q && has_data_q && !bvalid_q;
  assign awready_o    = !has_address_q;
  assign wready_o     = !has_data_q;
  assign write_o      = execute && whole_q;
  assign write_at_o   = write_at_q;
  assign write_data_o = data_q;
  assign bvalid_o     = bvalid_q;
  assign bresp_o      = bresp_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      has_address_q <= 1'b0;
      has_data_q    <= 1'b0;
      bvalid_q      <= 1'b0;
    end else begin
      has_address_q <= has_address_q ? !execute : awvalid_i;
      has_data_q    <= has_data_q ? !execute : wvalid_i;
      bvalid_q      <= bvalid_q ? !bready_i : execute;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!has_address_q) write_at_q <= awaddr_i[AddrW-1:2];
    if (!has_data_q) begin
      data_q  <= wdata_i;
      whole_q <= &wstrb_i;
    end
    if (execute) bresp_q <= (!whole_q || write_error_i) ? SLVERR : OKAY;
  end

  // ---------------------------------
  // Reads
  // ---------------------------------
  logic              has_read_q, rvalid_q, fetch;
  logic [WORD_W-1:0] read_at_q;
  logic [31:0]       rdata_q;
  logic [1:0]        rresp_q;

  assign fetch     = has_read_q && !rvalid_q;
  assign arready_o = !has_read_q;
  assign read_at_o = read_at_q;
  assign rvalid_o  = rvalid_q;
  assign rdata_o   = rdata_q;
  assign rresp_o   = rresp_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      has_read_q <= 1'b0;
      rvalid_q   <= 1'b0;
    end else begin
      has_read_q <= has_read_q ? !fetch : arvalid_i;
      rvalid_q   <= rvalid_q ? !rready_i : fetch;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!has_read_q) read_at_q <= araddr_i[AddrW-1:2];
    if (fetch) begin
      rdata_q <= read_error_i ? '0 : read_data_i;
      rresp_q <= read_error_i ? SLVERR : OKAY;
    end
  end

endmodule

`default_nettype wire
