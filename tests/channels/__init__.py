"""Ways out, each against a stand-in of its provider."""
