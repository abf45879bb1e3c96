"""How money arrives."""
