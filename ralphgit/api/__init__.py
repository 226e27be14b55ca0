"""ralphgit from Python: a repository, opened by its path, and typed values of what is in it.

The public names are those of `ralphgit` itself, which imports them from here when they are
first asked for.
"""
