"""Madoguchi (窓口): queue and reservation management for Japanese municipal counters."""

__version__ = "0.1.0"
