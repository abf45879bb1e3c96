"""Who may do what, asked of every route and socket event by every kind of caller."""
