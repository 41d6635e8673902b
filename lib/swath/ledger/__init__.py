"""The ledger: schemas, and tables in Delta or PostgreSQL."""
