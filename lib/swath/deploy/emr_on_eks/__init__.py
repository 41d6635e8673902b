"""EMR on EKS: the StartJobRun request, and submit, status, cancel, logs."""
