"""What keeps an output in order between runs."""
