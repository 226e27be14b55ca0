"""`python -m race.swapper REPOSITORY`: for each line `REF NEW OLD` on stdin, one swap.

`-` stands for no object. The answer is a line: 1 where this process moved the ref, 0 where
another was faster.
"""

from __future__ import annotations

import os
import sys

from ralphgit.git import refs
from ralphgit.git.repository import Repository


def main() -> None:
    git = Repository.open(sys.argv[1], os.environ).git
    for line in sys.stdin:
        ref, new, old = ("" if word == "-" else word for word in line.split())
        print(int(refs.swap(git, ref, new=new, old=old)), flush=True)


if __name__ == "__main__":
    main()
