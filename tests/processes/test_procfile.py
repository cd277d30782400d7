"""`honcho start` in a folder that holds the Procfile and a `.env`, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.rabbitmq import RabbitCluster
from roost.seal import new_keys
from tests.caller import call
from tests.world import new_id

#: What each process says, behind its name, when it is ready.
READY = {
    "center": "center_ready", "web": "web_ready", "bind": " ready\\.", "verify": " ready\\.", "push": " ready\\.",
    "beat": "is starting",
}  # fmt: skip


def test_every_process_starts_with_only_a_procfile_and_an_env_file(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path: Path, repository: Path
) -> None:
    name = f"honcho_{new_id()}"
    postgres.create_database(name, template="template_roost")
    public, private = new_keys()
    center = ports.free_port()
    written = {
        "ROOST_DATABASE_URL": postgres.url(name),
        "ROOST_BROKER_URL": rabbitmq.add_vhost(),
        "ROOST_SEAL_PUBLIC_KEY": public,
        "ROOST_SEAL_PRIVATE_KEY": private,
        "ROOST_CODE_PEPPER": new_keys()[1],
        "ROOST_CENTER_ALLOW": "127.0.0.0/8,::1/128",
        "ROOST_CENTER_PORT": str(center),
        "ROOST_WEB_PORT": str(ports.free_port()),
    }
    folder = tmp_path / "roost"
    folder.mkdir()
    shutil.copy(repository / "Procfile", folder)
    (folder / ".env").touch(mode=0o600)
    (folder / ".env").write_text("".join(f"{variable}={value}\n" for variable, value in written.items()))

    log = tmp_path / "honcho.log"

    def ready() -> bool:
        lines = log.read_text(errors="replace")
        return all(re.search(rf"{kind}\.1 .*{said}", lines) for kind, said in READY.items())

    honcho = SupervisedProcess(
        "honcho",
        [sys.executable, "-m", "honcho", "start", "--no-colour"],
        log=log,
        folder=folder,
        environment={
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "PYTHONPATH": str(repository),
            "PYTHONUNBUFFERED": "1",
            "LANG": "C.UTF-8",
        },
        ready=ready,
        start_deadline=60,
    )
    with honcho:
        assert call(f"{ports.LOOPBACK}:{center}", "nobody", "*30").outcome == "unknown_phone"
    assert "Traceback" not in log.read_text(errors="replace")
    postgres.drop_database(name)
