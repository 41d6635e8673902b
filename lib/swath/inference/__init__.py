"""Model manifests and predictors for workers; the registry is for the driver only."""

import os

# MLflow tells its makers how it is used, unless this is set before its import: the first model that is registered makes it ask
# their server (six packets of look-ups in a closed network). A value that the environment has stays.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
