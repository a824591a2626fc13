// fpsim_top_axil: one answer per request, of its own access, and it stays until it is taken.
//
// Counted beside it: addresses, data and answers of writes, addresses and answers of reads. An answer is owed from the
// handshake of what it answers on; the access of a write happens once, with the address and the data that came for it.

module proof #(
  parameter int AddrW = 4
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [AddrW-1:0] awaddr_i,
  input  logic             awvalid_i,
  input  logic [31:0]      wdata_i,
  input  logic [3:0]       wstrb_i,
  input  logic             wvalid_i,
  input  logic             bready_i,
  input  logic [AddrW-1:0] araddr_i,
  input  logic             arvalid_i,
  input  logic             rready_i,
  input  logic             write_error_i,
  input  logic [31:0]      read_data_i,
  input  logic             read_error_i
);

  logic             awready_o, wready_o, bvalid_o, arready_o, rvalid_o, write_o;
  logic [1:0]       bresp_o, rresp_o;
  logic [31:0]      rdata_o, write_data_o;
  logic [AddrW-3:0] write_at_o, read_at_o;

  fpsim_top_axil #(.AddrW(AddrW)) dut (
    .clk_i(clk_i), .rst_ni(rst_ni), .awaddr_i(awaddr_i), .awvalid_i(awvalid_i), .awready_o(awready_o),
    .wdata_i(wdata_i), .wstrb_i(wstrb_i), .wvalid_i(wvalid_i), .wready_o(wready_o), .bresp_o(bresp_o),
    .bvalid_o(bvalid_o), .bready_i(bready_i), .araddr_i(araddr_i), .arvalid_i(arvalid_i), .arready_o(arready_o),
    .rdata_o(rdata_o), .rresp_o(rresp_o), .rvalid_o(rvalid_o), .rready_i(rready_i), .write_o(write_o),
    .write_at_o(write_at_o), .write_data_o(write_data_o), .write_error_i(write_error_i), .read_at_o(read_at_o),
    .read_data_i(read_data_i), .read_error_i(read_error_i)
  );

  (* keep *) wire inner_whole;

  logic has_address, has_data, has_read;  // kept from an earlier cycle
  assign has_address = !awready_o;
  assign has_data    = !wready_o;
  assign has_read    = !arready_o;

  logic started = 1'b0;
  always_ff @(posedge clk_i) started <= 1'b1;
  always_comb if (!started) assume (!rst_ni);

  logic aw, w, b, ar, r, execute, fetch;
  assign aw = awvalid_i && awready_o;
  assign w  = wvalid_i && wready_o;
  assign b  = bvalid_o && bready_i;
  assign ar = arvalid_i && arready_o;
  assign r  = rvalid_o && rready_i;
  assign execute = has_address && has_data && !bvalid_o;
  assign fetch   = has_read && !rvalid_o;

  // Answers that are owed, per channel.
  logic [7:0]       aw_q, w_q, ar_q;
  logic             wrote_q, b_before_q, r_before_q;
  logic [1:0]       b_resp_q, r_resp_q, due_q;
  logic [31:0]      r_data_q, data_q, fetched_q;
  logic [AddrW-3:0] at_q, read_at_q;
  logic             whole_q, fetch_error_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_q       <= '0;
      w_q        <= '0;
      ar_q       <= '0;
      b_before_q <= 1'b0;
      r_before_q <= 1'b0;
    end else begin
      aw_q       <= aw_q + 8'(aw) - 8'(b);
      w_q        <= w_q + 8'(w) - 8'(b);
      ar_q       <= ar_q + 8'(ar) - 8'(r);
      b_before_q <= bvalid_o && !bready_i;
      r_before_q <= rvalid_o && !rready_i;
    end
  end

  // Of the latest request: what came, and what was answered from inside.
  always_ff @(posedge clk_i) begin
    b_resp_q <= bresp_o;
    r_resp_q <= rresp_o;
    r_data_q <= rdata_o;
    if (aw) at_q <= awaddr_i[AddrW-1:2];
    if (w) data_q <= wdata_i;
    if (w) whole_q <= &wstrb_i;
    if (ar) read_at_q <= araddr_i[AddrW-1:2];
    if (execute) due_q <= whole_q && !write_error_i ? 2'b00 : 2'b10;
    if (fetch) begin
      fetched_q     <= read_data_i;
      fetch_error_q <= read_error_i;
    end
  end

  always_comb begin
    if (rst_ni) begin
      // What is offered stays.
      if (b_before_q) assert (bvalid_o && bresp_o == b_resp_q);
      if (r_before_q) assert (rvalid_o && rresp_o == r_resp_q && rdata_o == r_data_q);
      // No answer without its request, at most one more request behind the one that is answered.
      assert (!bvalid_o || (aw_q != 0 && w_q != 0));
      assert (!rvalid_o || ar_q != 0);
      assert (aw_q <= 2 && w_q <= 2 && ar_q <= 2);
      // One access per answer: while nothing is on offer, of address and data, in the cycle before the answer.
      if (write_o) assert (!bvalid_o && aw_q == 1 && w_q == 1 && whole_q && write_at_o == at_q && write_data_o == data_q);
      if (bvalid_o) assert (bresp_o == due_q);
      if (rvalid_o) assert (rresp_o == (fetch_error_q ? 2'b10 : 2'b00) && rdata_o == (fetch_error_q ? 32'd0 : fetched_q));
      assert (!has_read || read_at_o == read_at_q);
      // What came waits inside or is answered: nothing is lost.
      assert (aw_q == 8'(has_address) + 8'(bvalid_o));
      assert (w_q == 8'(has_data) + 8'(bvalid_o));
      assert (ar_q == 8'(has_read) + 8'(rvalid_o));
      // What carries the induction.
      assert (!has_address || write_at_o == at_q);
      assert (!has_data || (write_data_o == data_q && inner_whole == whole_q));
    end
  end

endmodule
