"""Real keys of gpg and ssh, in a folder of their own for as long as a context lasts."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

ANN, STRANGER, LOCKED = "ann@example.com", "stranger@example.com", "locked@example.com"
PASSPHRASE = "secret"

#: A pinentry that gives the passphrase, by its protocol.
GIVES = f"""\
#!/bin/sh
echo OK
while read -r verb rest; do
  case "$verb" in GETPIN) echo "D {PASSPHRASE}";; esac
  echo OK
  case "$verb" in BYE) exit 0;; esac
done
"""
#: One that waits for somebody who is not there.
HANGS = "#!/bin/sh\necho OK\nexec sleep 600\n"


class Keyring:
    """A GNUPGHOME with three secret keys: Ann's, a stranger's, and one with a passphrase."""

    def __init__(self) -> None:
        # Not below the test's own folder: the address of a socket has a length of 108 bytes.
        self.home = Path(tempfile.mkdtemp(prefix="gnupg-"))

    def __enter__(self) -> Keyring:
        self.home.joinpath("gpg-agent.conf").write_text("s2k-count 65536\n")
        for name in (ANN, STRANGER, LOCKED):
            word = PASSPHRASE if name == LOCKED else ""
            who = f"{name.partition('@')[0].title()} <{name}>"
            words = ("--pinentry-mode", "loopback", "--passphrase", word)
            self.gpg(*words, "--quick-gen-key", who, "ed25519", "sign", "never")
        return self

    def __exit__(self, *_: object) -> None:
        self._end_agent()
        shutil.rmtree(self.home)

    @property
    def environ(self) -> dict[str, str]:
        return {"GNUPGHOME": str(self.home)}

    def gpg(self, *words: str, stdin: bytes = b"", home: Path | None = None) -> bytes:
        argv = ["gpg", "--batch", "--quiet", "--homedir", str(home or self.home), *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def public(self, *names: str) -> dict[str, str]:
        """A keyring that has these public keys alone, as a forge keeps them."""
        home = self.home / "forge"
        home.mkdir(mode=0o700, exist_ok=True)
        self.gpg("--import", stdin=self.gpg("--export", *names), home=home)
        return {"GNUPGHOME": str(home)}

    def pinentry(self, program: str) -> None:
        """From now on the agent asks by this program, and has forgotten what it was told."""
        script = self.home / "pinentry"
        script.write_text(program)
        script.chmod(0o755)
        conf = f"s2k-count 65536\npinentry-program {script}\n" if program else "s2k-count 65536\n"
        self.home.joinpath("gpg-agent.conf").write_text(conf)
        self._end_agent()

    def _end_agent(self) -> None:
        for home in (self.home, self.home / "forge"):
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False,
                           capture_output=True)  # fmt: skip
