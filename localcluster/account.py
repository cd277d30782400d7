"""The account a service runs as: ours, or, when we are root, one that may not harm the machine.

PostgreSQL refuses to run as root, and RabbitMQ should not. The account keeps one right of root, to read and pass through
folders it does not own (CAP_DAC_READ_SEARCH), so that a data folder or a virtual environment under a private folder
works without changing the permissions of anything we were not given.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class NoAccount(RuntimeError):
    """None of the accounts that a service could run as exists."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Numeric user and group; `changes` is false when we run the service as ourselves."""

    user: int
    group: int
    changes: bool

    def argv(self, command: Sequence[str]) -> list[str]:
        """`command`, run as this account."""
        if not self.changes:
            return list(command)
        return [
            "setpriv",
            f"--reuid={self.user}",
            f"--regid={self.group}",
            "--clear-groups",
            # Without this bit access(2) forgets the right, and Erlang asks access(2) before it opens a file.
            "--securebits=+no_setuid_fixup",
            "--inh-caps=-all,+dac_read_search",
            "--ambient-caps=-all,+dac_read_search",
            "--",
            *command,
        ]

    def give(self, path: Path) -> None:
        """Make `path`, and everything in it, this account's."""
        if not self.changes:
            return
        os.chown(path, self.user, self.group)
        if path.is_dir():
            for entry in path.rglob("*"):
                os.chown(entry, self.user, self.group, follow_symlinks=False)


def service_account(*names: str) -> ServiceAccount:
    """The first account of `names` that exists when we are root; otherwise our own."""
    if os.geteuid() != 0:
        return ServiceAccount(os.geteuid(), os.getegid(), changes=False)
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServiceAccount(entry.pw_uid, entry.pw_gid, changes=True)
    raise NoAccount(f"running as root needs one of these accounts: {', '.join(names)}")
