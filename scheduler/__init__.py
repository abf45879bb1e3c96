"""One leader by lease; sweeps that do all that is due."""
