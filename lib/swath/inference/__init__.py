"""Model manifests and predictors for workers; the registry is for the driver only."""
