"""Prometheus for tests, from Debian's package: the machine's own, or unpacked into a cache folder; nothing is installed.

Its programs need libc alone. The download is 19 MB.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from localcluster import debian, ports
from localcluster.process import SupervisedProcess

_PROGRAMS = ("prometheus", "promtool")
#: From Debian 13 on promtool is a package of its own.
_DOWNLOAD = """
set -e
cd "$0"
apt-get -qq download prometheus
if apt-cache show promtool >/dev/null 2>&1; then apt-get -qq download promtool; fi
"""
_DEADLINE = 10.0


def programs() -> Path:
    """The folder of `prometheus` and `promtool`; fetched first when there is none. Safe when several processes ask at once."""
    own = [shutil.which(program) for program in _PROGRAMS]
    if own[0] and own[1] and Path(own[0]).parent == Path(own[1]).parent:
        return Path(own[0]).parent
    cache = debian.cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder = (
        cache / f"prometheus-{debian.os_release().get('VERSION_CODENAME', 'unknown')}-{platform.machine()}"
    )
    with (cache / "prometheus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    """Unpack beside `folder`, then rename: a half-made one is never seen under that name."""
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=folder.parent) as workplace:
        work = Path(workplace)
        debian.run(["sh", "-c", _DOWNLOAD, str(work)], os.environ)
        for package in work.glob("*.deb"):
            debian.run(["dpkg", "-x", str(package), str(work / "root")], os.environ)
        kept = work / "kept"
        kept.mkdir()
        for program in _PROGRAMS:
            (work / "root/usr/bin" / program).rename(kept / program)
        kept.rename(folder)


def promtool(*arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool, on what it is `given` at its standard input."""
    return subprocess.run(
        [str(programs() / "promtool"), *arguments],
        input=given.decode() if given is not None else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Prometheus(SupervisedProcess):
    """Scrapes and evaluates every second; `rules` is the text of a rules file, `targets` are HOST:PORT."""

    def __init__(self, folder: Path, *, targets: Sequence[str], rules: str) -> None:
        self.port = ports.free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rules.yml").write_text(rules)
        (folder / "prometheus.yml").write_text(
            json.dumps(  # JSON is YAML
                {
                    "global": {
                        "scrape_interval": "1s",
                        "scrape_timeout": "1s",
                        "evaluation_interval": "1s",
                    },
                    "rule_files": ["rules.yml"],
                    "scrape_configs": [{"job_name": "roost", "static_configs": [{"targets": list(targets)}]}],
                }
            )
        )
        super().__init__(
            "prometheus",
            [
                programs() / "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={ports.LOOPBACK}:{self.port}", "--log.level=warn",
            ],
            log=folder / "prometheus.log",
            ready=self._is_ready,
        )  # fmt: skip

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://{ports.LOOPBACK}:{self.port}/-/ready", timeout=_DEADLINE):
                return True
        except OSError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of its HTTP API (prometheus.io, "HTTP API")."""
        url = f"http://{ports.LOOPBACK}:{self.port}/api/v1/{path}?{urlencode(parameters)}"
        with urlopen(url, timeout=_DEADLINE) as answer:
            return json.load(answer)["data"]

    def value(self, expression: str) -> float | None:
        """The first value of an expression now; None when it has none."""
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        """The names of the alerts that fire now."""
        return {
            alert["labels"]["alertname"]
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }
