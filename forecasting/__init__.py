"""Numbers in, numbers out: nothing here knows Flask."""
