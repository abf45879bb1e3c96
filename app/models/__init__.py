"""Tables: columns, constraints and relationships, nothing else."""
