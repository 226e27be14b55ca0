"""Name the optional parts of ralphgit, and how to install one."""

#: Each part, and the package that it needs.
EXTRAS = {"fleet": "libtmux", "board": "textual", "mcp": "mcp"}


def install(extra: str) -> str:
    """Return the commands that install a part, for each way in which ralphgit may have been."""
    package = EXTRAS[extra]
    return (
        f"pip install 'ralphgit[{extra}]', or pipx inject ralphgit {package}, "
        f"or uv tool install ralphgit --with {package}"
    )
