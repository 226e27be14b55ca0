"""Record, judge and review what was observed about tasks, bound to content."""
