"""How the database is reached: engines, types and the one commit."""
