"""Show tasks without changing them: lists, logs, status, independence, batches."""
