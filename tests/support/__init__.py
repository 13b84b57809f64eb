"""What end-to-end tests and benchmarks need to run real processes and to speak to them."""
