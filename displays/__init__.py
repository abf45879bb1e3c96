"""Hall boards and every live screen."""
