"""SIPp, a program that makes many calls at once; unpacked from Debian's packages into a cache folder, about 15 s once."""

from __future__ import annotations

import csv
import subprocess
from dataclasses import dataclass
from pathlib import Path

from localcluster import debian, ports
from localcluster.process import ServiceFailed, SupervisedProcess, wait_until

_SUITE = "bookworm"
_DEADLINE = 10.0
_SESSION = """v=0
      o=- 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [local_ip]
      t=0 0
      m=audio 9 RTP/AVP 0
      a=rtpmap:0 PCMU/8000"""


_END = "\n      "
_PROOF = f"[authentication]{_END}"
_ROUTES = f"[routes]{_END}"
_NUMBER = "sip:[service]@[remote_ip]"


def _request(
    method: str, number: int, target: str = _NUMBER, more: str = "", body: str = "", branch: str = "[branch]"
) -> str:
    return f"""<![CDATA[
      {method} {target} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
      From: <sip:[name]@[remote_ip]>;tag=[pid]-[call_number]
      To: <{_NUMBER}>{"" if method == "INVITE" else "[peer_tag_param]"}
      Call-ID: [call_id]
      CSeq: {number} {method}
      Contact: <sip:[name]@[local_ip]:[local_port]>
      Max-Forwards: 70
      {more}Content-Type: application/sdp
      Content-Length: [len]

      {body}]]>"""


#: A phone that is asked for its password, calls, and soon hangs up: of two messages at once, over UDP, the later may come first.
_CALLS = f"""<?xml version="1.0"?>
<scenario name="calls">
  <send retrans="500">{_request("INVITE", 1, body=_SESSION)}</send>
  <recv response="100" optional="true"/>
  <recv response="407" auth="true"/>
  <send>{_request("ACK", 1, branch="[branch-3]")}</send>
  <send retrans="500">{_request("INVITE", 2, more=_PROOF, body=_SESSION)}</send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send>{_request("ACK", 2, "[next_url]", _ROUTES)}</send>
  <pause milliseconds="200"/>
  <send retrans="500">{_request("BYE", 3, "[next_url]", _ROUTES)}</send>
  <recv response="200"/>
</scenario>
"""


def _reply(status: str, body: str = "") -> str:
    return f"""<![CDATA[
      SIP/2.0 {status}
      [last_Via:]
      [last_Record-Route:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port]>
      Content-Type: application/sdp
      Content-Length: [len]

      {body}]]>"""


#: A phone that rings for a moment and answers whoever calls.
_ANSWERS = f"""<?xml version="1.0"?>
<scenario name="answers">
  <recv request="INVITE"/>
  <send>{_reply("180 Ringing")}</send>
  <pause milliseconds="200"/>
  <send retrans="500">{_reply("200 OK", _SESSION)}</send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send>{_reply("200 OK").replace(";tag=[pid]-[call_number]", "")}</send>
</scenario>
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls that ended well, and all others."""

    well: int
    failed: int


def sipp_folder() -> Path:
    """Where SIPp is unpacked; fetched first when it is not there. Safe when several processes ask at once."""
    return debian.unpacked("sipp", _SUITE, ("sip-tester",), _SUITE)


def _argv(*arguments: str) -> list[str]:
    return debian.argv(sipp_folder(), "usr/bin/sipp", *arguments)


class Answerer:
    """Answers every call at `port` of 127.0.0.1 until it is stopped."""

    def __init__(self, folder: Path, name: str) -> None:
        self.port = ports.free_port()
        self._scenario = folder / f"{name}.xml"
        self._statistics = folder / f"{name}.csv"
        self._scenario.write_text(_ANSWERS)
        self._process = SupervisedProcess(
            name,
            _argv(
                "-sf", str(self._scenario), "-i", "127.0.0.1", "-p", str(self.port), "-nostdin", "-trace_stat",
                "-stf", str(self._statistics), "-fd", "1",
            ),
            log=folder / f"{name}.log", folder=folder, ready=self._statistics.exists,
        )  # fmt: skip

    def start(self) -> None:
        """Ready when it listens."""
        self._process.start()

    def stop(self) -> None:
        """End it, however many calls there are."""
        self._process.kill()

    def wait_counted(self, calls: int) -> None:
        """Wait until it has taken more than so many calls."""
        wait_until(lambda: _counted(self._statistics).well > calls, _DEADLINE, f"more than {calls} calls")


def call(
    folder: Path, *, name: str, password: str, host: str, number: str, calls: int, a_second: int
) -> Counted:
    """Make so many calls from the phone `name`, and hang up each soon after it is answered. Raises ServiceFailed when SIPp cannot run."""
    scenario, statistics = folder / "calls.xml", folder / "calls.csv"
    scenario.write_text(_CALLS)
    done = subprocess.run(
        _argv(
            "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(ports.free_port()), "-nostdin", "-trace_stat", "-stf", str(statistics),
            "-fd", "1", "-au", name, "-ap", password, "-key", "name", name, "-s", number, "-m", str(calls), "-r", str(a_second),
            "-recv_timeout", "5000", f"{host}:5060",
        ),
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=calls / a_second + 60, check=False,
    )  # fmt: skip
    if not statistics.exists():
        raise ServiceFailed(f"SIPp did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return _counted(statistics)


def _counted(statistics: Path) -> Counted:
    with statistics.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return (
        Counted(int(rows[-1]["SuccessfulCall(C)"]), int(rows[-1]["FailedCall(C)"])) if rows else Counted(0, 0)
    )
