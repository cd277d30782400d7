"""The HTTP API of the cluster's nodes: their state, their audits, and what their kinds take."""

from __future__ import annotations

from pathlib import Path

from localcluster.certificates import Authority
from roost.pbx.kinds import default_kind
from tests.web.office import Office


def test_the_cluster_is_seen_and_audited(office: Office) -> None:
    api = office.api()
    state = api.get("/cluster").json()
    assert [node["name"] for node in state["nodes"]] == ["n1", "n2", "n3"]
    assert api.post("/nodes/n1/audit").status_code == 202
    assert "secret" not in api.get("/nodes").text


def test_what_the_kind_of_a_node_takes_is_set_and_taken_away(office: Office, tmp_path: Path) -> None:
    api = office.api()
    ca = Authority(tmp_path / "authority").certificate
    node = {
        "name": "n9",
        "kind": default_kind(),
        "host": "127.0.0.9",
        "secret": "s",
        "options": {"tls": True},
    }
    added = api.post("/nodes", json=node)
    try:
        assert (added.status_code, added.json()["options"], added.json()["port"]) == (
            201,
            {"tls": True},
            5039,
        )
        for options, said in (
            ({"colour": "blue"}, "colour"),
            ({"ca": "x"}, "no certificate"),
            ({"tls": None, "ca": ca}, "is for TLS"),
        ):
            refused = api.patch("/nodes/n9", json={"options": options})
            assert (refused.status_code, refused.json()["code"], said in refused.text) == (
                422,
                "bad_option",
                True,
            )
        changed = api.patch("/nodes/n9", json={"options": {"ca": ca}, "username": "boss"}).json()
        assert (changed["options"], changed["username"]) == ({"tls": True, "ca": ca}, "boss")
        changed = api.patch("/nodes/n9", json={"options": {"ca": None, "tls": None, "username": None}}).json()
        assert (changed["options"], changed["username"], changed["port"]) == ({}, "roost", 5038)
    finally:
        api.delete("/nodes/n9")
    del node["secret"]
    refused = api.post("/nodes", json=node)
    assert (refused.status_code, "needs a secret" in refused.text) == (422, True)


def test_what_a_freepbx_cannot_be_told_of_is_refused(office: Office) -> None:
    """It serves one organization, and knows phones by digits; it need not be reached for that."""
    api = office.api()
    node = {"name": "f9", "kind": "freepbx", "host": "127.0.0.9", "secret": "s"}
    refused = api.post("/nodes", json=node)
    assert (refused.status_code, refused.json()["code"]) == (409, "one_organization")
    refused = api.post("/nodes", json=node | {"serves": ["0001"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "unfit_phone_name")
    assert api.post("/organizations", json={"code": "0003"}).status_code == 201
    assert api.post("/nodes", json=node | {"serves": ["0003"]}).status_code == 201
    try:
        for name, code in (
            ("desk-3", "unfit_phone_name"),
            ("1&2", "invalid"),
            ("${EXTEN}", "invalid"),
        ):
            refused = api.post("/phones", json={"name": name, "organization": "0003", "node": "n1"})
            assert (refused.status_code, refused.json()["code"]) == (422, code)
        file = "organization,number,phone,node\n0003,001,desk-3,n1\n"
        refused = api.post("/import", content=file.encode(), headers={"Content-Type": "text/csv"})
        assert (refused.status_code, refused.json()["code"]) == (422, "unfit_phone_name")
        page = office.browser("root").post("/organizations/0003/import", text=file, apply="yes")
        assert page.status_code == 422
        assert "desk-3: node f9, freepbx, needs 1 to 20 digits" in page.text
        assert api.get("/extensions", params={"organization": "0003"}).json()["items"] == []
        assert api.get("/phones", params={"organization": "0003"}).json()["items"] == []
        office.world.sql("UPDATE pbx_node SET serves_all = true WHERE name = 'f9'")  # whatever comes
        page = office.browser("root").post("/organizations", code="0004", name="One more")
        assert page.status_code == 409
        assert "The node can serve one organization alone" in page.text
        assert "f9, freepbx: " in page.text
        assert api.get("/organizations/0004").status_code == 404
    finally:
        api.delete("/nodes/f9")
