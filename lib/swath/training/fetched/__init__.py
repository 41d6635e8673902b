"""Models that others publish: made of their own packages when a site sets them up, never shipped with swath."""
