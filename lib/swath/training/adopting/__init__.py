"""Models that others trained and keep as data: in MLflow, or as SageMaker's model packages."""
