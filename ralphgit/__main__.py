"""`python -m ralphgit`."""

from ralphgit.cli.main import main

if __name__ == "__main__":
    main()
