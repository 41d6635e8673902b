"""SageMaker's model registry: packages come in as models of swath, and models go out as packages."""
