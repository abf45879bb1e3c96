"""Sweeps: each does all that is due, and a second run finds nothing."""
