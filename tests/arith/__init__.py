"""The law against standards, papers and other libraries."""
