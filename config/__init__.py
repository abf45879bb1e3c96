"""What an operator decides; imports nothing of ours."""
