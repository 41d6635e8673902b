"""What a run writes. Every write may be repeated, because a task may run twice."""
