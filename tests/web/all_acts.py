"""Every action of the pages and of the API, in one table, and how each is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from roost.pbx.kinds import default_kind
from roost.people.access import Action
from tests.web.office import Browser


@dataclass(frozen=True)
class Act:
    """One thing that can be done, to extension `X*001`, phone `desk…` and organization X; `{}` are filled in."""

    action: Action
    method: str
    path: str
    body: dict[str, Any] | None = field(default=None, hash=False)
    form: dict[str, str] | None = field(default=None, hash=False)


BY_PAGE = [
    Act(Action.SEE_EXTENSION, "GET", "/extensions/{key}"),
    Act(Action.SEE_EXTENSION, "GET", "/live/extensions/{key}"),
    Act(Action.SET_CODE, "POST", "/extensions/{key}/code", form={"code": "24713", "again": "24713"}),
    Act(Action.SET_CODE, "POST", "/extensions/{key}/code/clear", form={}),
    Act(Action.RETURN, "POST", "/extensions/{key}/return", form={}),
    Act(Action.ALLOW_VIRTUALIZATION, "POST", "/extensions/{key}/allow", form={}),
    Act(Action.VIRTUALIZE, "POST", "/extensions/{key}/virtualize", form={"phone": "{phone}"}),
    Act(Action.CHANGE_EXTENSIONS, "POST", "/extensions/{key}/unlock", form={}),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/live/organizations/{code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}/desks/{phone}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}/journal"),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}/journal.csv"),
    Act(Action.VIRTUALIZE, "POST", "/organizations/{code}/virtualize", form={"number": "001", "phone": "{phone}"}),
    Act(Action.VIRTUALIZE, "POST", "/organizations/{code}/desks/{phone}/virtualize", form={"number": "001"}),
    Act(Action.VIRTUALIZE, "POST", "/organizations/{code}/desks/{phone}/return", form={"extension": "{key}"}),
    Act(Action.CHANGE_PHONES, "POST", "/organizations/{code}/desks/{phone}/unlock", form={}),
    Act(Action.CHANGE_POLICY, "GET", "/organizations/{code}/policy"),
    Act(Action.CHANGE_POLICY, "POST", "/organizations/{code}/policy", form={"policy": "displace", "timezone": "UTC", "lock_after": "1", "phone_lock_after": "1", "lock_for": "1d"}),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}/desks.csv"),
    Act(Action.IMPORT, "GET", "/organizations/{code}/import"),
    Act(Action.IMPORT, "POST", "/organizations/{code}/import", form={"apply": "yes", "text": "organization,number\n{code},077\n"}),
    Act(Action.MANAGE_PEOPLE, "GET", "/organizations/{code}/people"),
    Act(Action.MANAGE_PEOPLE, "POST", "/organizations/{code}/people", form={"login": "intruder", "password": "long enough 1", "role": "administrator"}),
    Act(Action.MANAGE_PEOPLE, "POST", "/organizations/{code}/people/change", form={"login": "owner{code}-002", "do": "remove"}),
    Act(Action.MANAGE_TOKENS, "GET", "/organizations/{code}/tokens"),
    Act(Action.MANAGE_TOKENS, "POST", "/organizations/{code}/tokens", form={"name": "x", "access": "administer"}),
    Act(Action.MANAGE_TOKENS, "POST", "/organizations/{code}/tokens/end", form={"id": "{token}"}),
    Act(Action.SEE_CLUSTER, "GET", "/cluster"),
    Act(Action.SEE_CLUSTER, "GET", "/live/cluster"),
    Act(Action.SEE_CLUSTER, "GET", "/organizations"),
    Act(Action.SEE_CLUSTER, "GET", "/journal"),
    Act(Action.SEE_CLUSTER, "GET", "/journal.csv"),
    Act(Action.AUDIT, "POST", "/cluster/audit", form={}),
    Act(Action.CHANGE_ORGANIZATIONS, "POST", "/organizations", form={"code": "0066"}),
    Act(Action.SEE_CLUSTER, "GET", "/people"),
    Act(Action.SEE_CLUSTER, "POST", "/people", form={"login": "intruder", "password": "long enough 1", "role": "operator"}),
    Act(Action.SEE_CLUSTER, "GET", "/tokens"),
    Act(Action.SEE_CLUSTER, "POST", "/tokens", form={"name": "x", "access": "administer"}),
]  # fmt: skip

BY_API = [
    Act(Action.SEE_EXTENSION, "GET", "/extensions/{key}"),
    Act(Action.SEE_EXTENSION, "GET", "/extensions/{key}/whereabouts"),
    Act(Action.SET_CODE, "PUT", "/extensions/{key}/code", {"code": "24713"}),
    Act(Action.SET_CODE, "DELETE", "/extensions/{key}/code"),
    Act(Action.RETURN, "POST", "/extensions/{key}/return", {}),
    Act(Action.ALLOW_VIRTUALIZATION, "PATCH", "/extensions/{key}", {"allows_virtualization": False}),
    Act(Action.VIRTUALIZE, "POST", "/extensions/{key}/virtualize", {"phone": "{phone}"}),
    Act(Action.CHANGE_EXTENSIONS, "PATCH", "/extensions/{key}", {"name": "Mallory"}),
    Act(Action.CHANGE_EXTENSIONS, "POST", "/extensions/{key}/unlock"),
    Act(Action.CHANGE_EXTENSIONS, "POST", "/extensions", {"extension": "{code}*077"}),
    Act(Action.CHANGE_EXTENSIONS, "DELETE", "/extensions/{code}*004"),
    Act(Action.SEE_ORGANIZATION, "GET", "/extensions?organization={code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/phones?organization={code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/journal?organization={code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/journal?extension={key}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/organizations/{code}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/phones/{phone}"),
    Act(Action.SEE_ORGANIZATION, "GET", "/phones/{phone}/whereabouts"),
    Act(Action.SEE_ORGANIZATION, "GET", "/phones/{phone}/display"),
    Act(Action.SEE_ORGANIZATION, "GET", "/phones/{phone}/occupant?at=2026-01-01T00:00:00Z"),
    Act(Action.SEE_ORGANIZATION, "GET", "/export?organization={code}"),
    Act(Action.CHANGE_PHONES, "PATCH", "/phones/{phone}", {"emergency_number": "112"}),
    Act(Action.CHANGE_PHONES, "POST", "/phones/{phone}/unlock"),
    Act(Action.CHANGE_PHONES, "POST", "/phones", {"name": "mallory", "organization": "{code}", "node": "n1"}),
    Act(Action.CHANGE_PHONES, "DELETE", "/phones/{phone}"),
    Act(Action.CHANGE_POLICY, "PATCH", "/organizations/{code}", {"policy": "displace"}),
    Act(Action.IMPORT, "POST", "/import?organization={code}", {"csv": "organization,number\n{code},077\n"}),
    Act(Action.MANAGE_PEOPLE, "GET", "/people?organization={code}"),
    Act(Action.MANAGE_PEOPLE, "POST", "/people", {"login": "intruder", "password": "long enough 1", "role": "administrator", "organization": "{code}"}),
    Act(Action.MANAGE_PEOPLE, "PATCH", "/people/owner{code}-002", {"enabled": False}),
    Act(Action.MANAGE_PEOPLE, "DELETE", "/people/owner{code}-002"),
    Act(Action.MANAGE_TOKENS, "GET", "/tokens?organization={code}"),
    Act(Action.MANAGE_TOKENS, "POST", "/tokens", {"name": "x", "access": "administer", "organization": "{code}"}),
    Act(Action.MANAGE_TOKENS, "DELETE", "/tokens/{token}"),
    Act(Action.SEE_CLUSTER, "GET", "/cluster"),
    Act(Action.SEE_CLUSTER, "GET", "/nodes"),
    Act(Action.SEE_CLUSTER, "GET", "/nodes/n1"),
    Act(Action.AUDIT, "POST", "/nodes/n1/audit"),
    Act(Action.CHANGE_NODES, "PATCH", "/nodes/n1", {"enabled": False}),
    Act(Action.CHANGE_NODES, "DELETE", "/nodes/n1"),
    Act(Action.CHANGE_NODES, "POST", "/nodes", {"name": "n9", "kind": default_kind(), "host": "h", "port": 5038, "username": "u", "secret": "s"}),
    Act(Action.CHANGE_ORGANIZATIONS, "POST", "/organizations", {"code": "0066"}),
    Act(Action.CHANGE_ORGANIZATIONS, "PATCH", "/organizations/{code}", {"enabled": False}),
    Act(Action.CHANGE_ORGANIZATIONS, "DELETE", "/organizations/{code}?with_everything=true"),
    Act(Action.MANAGE_TOKENS, "POST", "/tokens", {"name": "x", "access": "administer", "organization": None}),
    Act(Action.MANAGE_PEOPLE, "POST", "/people", {"login": "intruder", "password": "long enough 1", "role": "operator"}),
]  # fmt: skip


def filled(value: Any, code: str, token: int) -> Any:
    """The act with the names of this organization in it."""
    if isinstance(value, dict):
        return {name: filled(item, code, token) for name, item in value.items()}
    phone = "desk002" if code == "0001" else f"desk{code}-002"
    if not isinstance(value, str):
        return value
    return (
        value.replace("{key}", f"{code}*001").replace("{code}", code).replace("{phone}", phone)
        .replace("{token}", str(token))
    )  # fmt: skip


def by_page(browser: Browser, act: Act, code: str, token: int) -> httpx.Response:
    path, form = filled(act.path, code, token), filled(act.form, code, token)
    return browser.get(path) if act.method == "GET" else browser.post(path, **form)


def by_api(api: httpx.Client, act: Act, code: str, token: int) -> httpx.Response:
    path, body = filled(act.path, code, token), filled(act.body, code, token)
    if body is not None and "csv" in body:
        return api.request(
            act.method, path, content=body["csv"].encode(), headers={"Content-Type": "text/csv"}
        )
    return api.request(act.method, path, json=body)
