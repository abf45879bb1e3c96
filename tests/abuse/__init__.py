"""What people and programs send that they should not, and the one answer each must get (never a 500)."""
