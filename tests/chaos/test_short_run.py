"""A short run of the harness, with a fault of each sort; the long ones are `script/chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.__main__ import main

FAULTS = "bind-killed,center-frozen,node-killed,boundary-bind-committed,net-push-postgres-cut,messages-five-times,postgres-killed"


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        [
            "--seconds",
            "12",
            "--hold",
            "1",
            "--people",
            "3",
            "--faults",
            FAULTS,
            "--folder",
            str(tmp_path / "run"),
        ]
    )
    assert code == 0, capsys.readouterr().out
