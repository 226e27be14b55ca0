"""Use ralphgit from Python: open a repository by its path, get typed values of what is in it.

The public names are those of `ralphgit` itself, which imports them from here when they are
first asked for.
"""
