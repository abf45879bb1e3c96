"""Crashes on purpose: servers killed at random under load, and what must hold afterwards."""
