"""The Kubeflow Spark Operator, v1beta2: manifests, and submit, status, cancel, logs."""
