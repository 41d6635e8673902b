"""Where files live: a local folder or S3."""
