"""The law: every unit of the machine in plain Python integers, one file per RTL module."""
