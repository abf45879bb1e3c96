"""Stand-ins of the providers: they refuse what the real ones refuse, keep their own ledger, and fail on request."""
