"""What a person sees of a run: one HTML file."""
