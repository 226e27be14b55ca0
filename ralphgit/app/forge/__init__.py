"""Open pull requests, on a forge or as the configuration says."""
