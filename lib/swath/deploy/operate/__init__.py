"""What becomes of a submitted run."""
