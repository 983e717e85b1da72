"""The system account that the embedded server runs as where we are root, since Postgres refuses to be root."""

import os
import pwd
import subprocess
from pathlib import Path


def account_entry(name: str) -> pwd.struct_passwd:
    """Find an account, or make it.

    Raises:
        CalledProcessError: it cannot be made.
    """
    try:
        return pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--shell", "/bin/sh", name], check=True, capture_output=True)
        return pwd.getpwnam(name)


def let_in(account: str, install: Path, *owned: Path) -> None:
    """Give an account its directories, and the way to them and to the programs below `install`, nothing more."""
    entry = account_entry(account)
    for path in owned:
        os.chown(path, entry.pw_uid, entry.pw_gid)
    for path in (*owned, install):
        for folder in path.parents:
            _allow(folder, 0o001)
    for path in (install, *install.rglob("*")):
        _allow(path, 0o055 if path.is_dir() or path.parent.name == "bin" else 0o044)


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
