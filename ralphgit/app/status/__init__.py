"""What commands that only look show: lists, logs, status, independence, batches."""
