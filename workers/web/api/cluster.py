"""The cluster over HTTP: nodes, their state, audits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field

from roost.directory import fields
from roost.errors import BrokerUnavailable
from roost.nodes.status import cluster_status, request_audit
from roost.pbx.kinds import kinds
from roost.people.access import Action, demand
from tasks.processes import KINDS as KINDS_OF_PROCESS
from tasks.processes import Process as FoundProcess
from workers.web.api import paging
from workers.web.api.access import TheAsker, TheParts
from workers.web.api.models import Given, Page, Shown
from workers.web.api.values import Code, NodeName

router = APIRouter(tags=["cluster"])
#: Seconds that a first question after a quiet time may take.
PATIENCE = 3.0
InPath = Annotated[NodeName, Path(description="The node's name.")]

Host = Annotated[str, fields.HOST, Field(examples=["10.0.0.7"])]
Port = Annotated[int, Field(ge=fields.PORT.least, le=fields.PORT.most)]
Username = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,80}$")]
Options = dict[str, str | int | bool | None]
Secret = Annotated[
    str,
    fields.NODE_SECRET,
    Field(description="Sealed before it is stored; never shown. Left out where its kind has no login."),
]


class Node(Shown):
    """A PBX of the cluster. Its secret is not shown."""

    name: str
    kind: str
    host: str
    port: int
    username: str | None = Field(description="Null where a node of this kind has none.")
    options: dict[str, Any] = Field(description="What its kind takes besides; what is left out is as usual.")
    enabled: bool
    phones: int


class _NodeFields(Given):
    """What may be set on a new node and on one that is there."""

    host: Host = ""
    port: Port = 1
    username: Username = ""
    secret: Secret = ""
    options: Options = Field(
        default={}, description="Only these are changed; one that is null is taken away."
    )

    def given(self) -> dict[str, Any]:
        """The fields that were given, as the core takes them: the user name among the options."""
        values = super().given()
        if "username" in values:
            values["options"] = {**values.get("options", {}), "username": values.pop("username")}
        return values


class NodeChange(_NodeFields):
    """What may be set on a node."""

    enabled: bool = True


class NewNode(_NodeFields):
    """A node to add. Without a port it is the usual one of its kind."""

    name: NodeName
    kind: Annotated[str, Field(pattern=f"^({'|'.join(kinds())})$")]
    host: Host
    serves: list[Code] | None = Field(
        default=None, min_length=1, description="The organizations that it is told of; null: all."
    )


class NodeState(Shown):
    """How far a node is. `lag`: seconds that a change has been waiting at most; null: it was never seen.

    `doing`: its whole table is sent (`send`) or compared (`audit`), since when, and how many keys of about how many are through.
    `refused_rows`: rows that it cannot hold; `roost doctor` names them.
    """

    name: str
    kind: str
    enabled: bool
    state: str = Field(examples=["up_to_date", "behind", "failing", "never_seen", "disabled"])
    applied_version: int
    behind: int
    lag: float | None
    drift: int
    failures: int
    last_error: str | None
    applied_at: datetime | None
    seen_at: datetime | None
    audited_at: datetime | None
    next_attempt_at: datetime | None
    refused_rows: int
    doing: str | None = Field(examples=["send", "audit"])
    doing_since: datetime | None
    keys_done: int | None
    keys_total: int | None


class ClusterState(Shown):
    """How far the database and every node are."""

    version: int
    unnumbered: int
    now: datetime
    nodes: list[NodeState]


class Process(Shown):
    """A process that runs."""

    kind: str = Field(examples=[*KINDS_OF_PROCESS])
    host: str
    process_id: int


@router.get("/cluster")
def read_cluster(parts: TheParts, asker: TheAsker) -> ClusterState:
    """Say how far every node is."""
    demand(asker, Action.SEE_CLUSTER)
    return ClusterState.model_validate(cluster_status(parts.database))


@router.get("/processes")
def list_processes(
    parts: TheParts, asker: TheAsker, limit: paging.Limit = 100, cursor: paging.Cursor = None
) -> Page[Process]:
    """List the processes that run, by kind, host and process id: those that answered over RabbitMQ a moment ago."""
    demand(asker, Action.SEE_CLUSTER)
    found = parts.processes.look(PATIENCE)
    if found is None:
        raise BrokerUnavailable
    start = paging.read_cursor(cursor, 3) or ["", "", ""]
    rows = sorted((each for each in found if _place(each) > start), key=_place)
    return paging.page(Process, rows, limit, _place)


@router.get("/nodes")
def list_nodes(
    parts: TheParts, asker: TheAsker, limit: paging.Limit = 100, cursor: paging.Cursor = None
) -> Page[Node]:
    """List nodes in order of name."""
    demand(asker, Action.SEE_CLUSTER)
    rows = parts.directory.nodes(after=paging.after(cursor), limit=limit + 1)
    return paging.page(Node, rows, limit, lambda row: [row.name])


@router.post("/nodes", status_code=201)
def add_node(parts: TheParts, asker: TheAsker, new: NewNode) -> Node:
    """Add a PBX; it is filled within seconds."""
    demand(asker, Action.CHANGE_NODES)
    parts.directory.add_node(**new.given())
    return Node.model_validate(parts.directory.node(new.name))


@router.get("/nodes/{name}")
def read_node(parts: TheParts, asker: TheAsker, name: InPath) -> Node:
    """Read one node."""
    demand(asker, Action.SEE_CLUSTER)
    return Node.model_validate(parts.directory.node(name))


@router.patch("/nodes/{name}")
def change_node(parts: TheParts, asker: TheAsker, name: InPath, change: NodeChange) -> Node:
    """Change what is given; the next push tries at once."""
    demand(asker, Action.CHANGE_NODES)
    parts.directory.change_node(name, **change.given())
    return Node.model_validate(parts.directory.node(name))


@router.delete("/nodes/{name}", status_code=204)
def remove_node(parts: TheParts, asker: TheAsker, name: InPath) -> None:
    """Remove a node that has no phones."""
    demand(asker, Action.CHANGE_NODES)
    parts.directory.remove_node(name)


@router.post("/nodes/{name}/audit", status_code=202)
def audit_node(parts: TheParts, asker: TheAsker, name: InPath) -> NodeState:
    """Have the whole table of a node compared with the database at its next push."""
    demand(asker, Action.AUDIT)
    request_audit(parts.database, name)
    return NodeState.model_validate(cluster_status(parts.database, name).nodes[0])


def _place(process: FoundProcess) -> list[str]:
    return [process.kind, process.host, f"{process.process_id:010}"]
