"""The table of methods: every recipe on every model, executed bit by bit, with its quality and its price."""
