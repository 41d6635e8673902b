"""Level-2 products, of swath and of others, as the dates of a stack."""
