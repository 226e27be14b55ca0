"""Integrate several branches: order, merge, prove and land them (SPEC 6)."""
