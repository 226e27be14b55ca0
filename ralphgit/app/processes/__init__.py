"""Run programs of others: with consent, bounded in time, and ended with us."""
