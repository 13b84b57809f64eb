"""What end-to-end tests, benchmarks and `make stack` need to run real processes and to speak to them."""
