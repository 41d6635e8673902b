"""What every engine is asked for, as pure functions."""
