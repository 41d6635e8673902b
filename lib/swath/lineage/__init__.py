"""What a job read and made, as OpenLineage events: a file beside the report, and a service when one is named."""
