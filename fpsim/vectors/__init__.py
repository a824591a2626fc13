"""Golden vectors: make, write, read, check."""
