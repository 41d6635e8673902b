"""What a run says of itself while it works: one stream of beats, and the services that are reported of them."""
