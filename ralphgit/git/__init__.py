"""Ask and run git: only this package does. It knows bytes, paths, refs and object ids, no tasks.

Reads are a handful of git processes a command, started by `os.posix_spawn` (1 ms each;
importing subprocess costs 10, pygit2 90). Every write, every merge and all network go through the
git program, for its atomicity, hooks, signing and credentials.
"""
