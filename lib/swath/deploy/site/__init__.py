"""What a user writes: sites and jobs."""
