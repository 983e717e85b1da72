"""Say in one line what a benchmark ran on: what explains a number, and nothing that names the host."""

import os
import platform
from pathlib import Path

import psutil

CPUINFO = Path("/proc/cpuinfo")


def describe(postgres: str) -> str:
    """Return cores, CPU, memory, system, Python and PostgreSQL of this machine as one line.

    Args:
        postgres: the server's `server_version`, as `SHOW server_version` prints it.
    """
    parts = (
        f"{os.cpu_count()} cores",
        _cpu_model(),
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB RAM",
        _system(),
        f"Python {platform.python_version()}",
        f"PostgreSQL {postgres.split()[0]}",
    )
    return ", ".join(parts)


def _cpu_model() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
