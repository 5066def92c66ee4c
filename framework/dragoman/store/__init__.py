"""The store: durable state in SQL. The ledger, the catalogue, and who is alive."""
