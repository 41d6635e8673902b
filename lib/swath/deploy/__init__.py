"""One job, every site: pure renderers, and submit, status, cancel beside them."""
