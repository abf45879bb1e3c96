"""The schema's history, numbered; expand first, contract in a later release."""
