"""What `init` makes around the graph, and takes back."""
