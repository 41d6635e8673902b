"""Model manifests and predictors for workers; the registry is for the driver only."""

import os

# MLflow tells its makers how it is used, from the moment in which it is imported: a site would have to allow that, and in a
# closed one look-ups of names try to leave. A value that the environment has stays.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
