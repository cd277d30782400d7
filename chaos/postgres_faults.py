"""PostgreSQL that is replaced: by its standby, or by a new server filled from an old dump; and a disk that is full."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from chaos.faults import Heal, Scene, fault
from chaos.observer import connect, differences, unnumbered, version_now
from chaos.stage import DATABASE, POSTGRES_OPTIONS
from localcluster.postgres import Postgres
from localcluster.process import ServiceFailed, wait_until
from localcluster.standby import Standby

#: Free space on the small disk before something else fills it; bytes.
_ROOM = 48 * 1024 * 1024


def _next_folder(scene: Scene) -> Path:
    number = 2
    while (folder := scene.stage.folder / f"postgres-{number}").exists():
        number += 1
    return folder


@fault("postgres-failover")
def failover(scene: Scene) -> Heal:
    """The primary dies, and its synchronous standby takes over; clients know both (a multi-host URL)."""
    stage = scene.stage
    standby = Standby(_next_folder(scene), stage.postgres, options=POSTGRES_OPTIONS)
    stage.keep(standby)
    standby.start()
    standby.wait_for_each_commit()
    stage.network.point(stage.spare_postgres, standby.port)
    stage.postgres.kill()

    def heal() -> None:
        standby.promote()
        stage.use_postgres(standby)

    return heal


@fault("postgres-restored-from-dump")
def restored_from_dump(scene: Scene) -> Heal:
    """A new server is filled from a dump, while the nodes know of later moves. Nobody asks meanwhile."""
    stage = scene.stage
    scene.load.pause()
    path = stage.folder / "roost.dump"
    stage.postgres.dump(DATABASE, path)
    with connect(stage) as connection:
        connection.execute("UPDATE phone SET guest_id = NULL, guest_since = NULL")
        connection.execute("UPDATE extension SET name = 'Later than the dump'")
    wait_until(lambda: _all_know(scene), 15.0, "every node knows what the dump does not")
    server = Postgres(_next_folder(scene), options=POSTGRES_OPTIONS)
    server.folder.mkdir()
    server.keep_password(stage.postgres)
    stage.keep(server)
    stage.postgres.stop()

    def heal() -> None:
        server.start()
        server.restore(DATABASE, path)
        stage.use_postgres(server)
        scene.load.go_on()

    return heal


def _all_know(scene: Scene) -> bool:
    version = version_now(scene.stage)
    return not unnumbered(scene.stage) and not any(
        differences(scene.stage, node, version) for node in scene.stage.nodes.values()
    )


@fault("postgres-disk-full", on_demand=os.geteuid() != 0)
def disk_full(scene: Scene) -> Heal:
    """The disk of PostgreSQL is full: it moves to a small one first, which asks for root."""
    postgres = scene.stage.postgres
    disk = scene.stage.folder / "small-disk"
    scene.load.pause()
    postgres.stop()
    size = sum(file.stat().st_size for file in postgres.folder.rglob("*") if file.is_file()) + _ROOM
    disk.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(disk))
    subprocess.run(["cp", "-a", f"{postgres.folder}/.", str(disk)], check=True, timeout=60)
    _mount("--bind", str(disk), str(postgres.folder))

    def give_back() -> None:
        if disk.is_mount():
            postgres.kill()
            _unmount(postgres.folder, disk)

    scene.stage.finally_(give_back)
    postgres.start()
    scene.load.go_on()
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:  # until there is no room left
        while True:
            file.write(b"\0" * 65_536)

    def heal() -> None:
        ballast.unlink(missing_ok=True)
        if not postgres.running:
            postgres.start()
        scene.load.pause()
        postgres.stop()
        back = scene.stage.folder / "from-small-disk"
        subprocess.run(["cp", "-a", f"{disk}/.", str(back)], check=True, timeout=60)
        _unmount(postgres.folder, disk)
        shutil.rmtree(postgres.folder)
        back.rename(postgres.folder)
        postgres.start()
        scene.load.go_on()

    return heal


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        raise ServiceFailed(f"a small disk needs root and the right to mount: {done.stderr.strip()}")


def _unmount(*places: Path) -> None:
    for place in places:
        if place.is_mount():
            subprocess.run(["umount", str(place)], check=True, timeout=20)
