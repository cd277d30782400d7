"""What each action does to a node, and Asterisk's words for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from simulator.store import Store
from simulator.wire import Fields, error, listing, response, success


def db_put(store: Store, fields: Fields) -> bytes:
    """DBPut: write one value."""
    family, key = fields.get("family"), fields.get("key")
    if not family:
        return error(fields, "No family specified")
    if not key:
        return error(fields, "No key specified")
    store.put(f"/{family}/{key}", fields.get("val", ""))
    return success(fields, "Updated database successfully")


def db_get(store: Store, fields: Fields) -> bytes:
    """DBGet: a list of one."""
    family, key = fields.get("family"), fields.get("key")
    if not family or not key:
        return error(fields, f"No {'key' if family else 'family'} specified.")
    value = store.get(f"/{family}/{key}")
    if value is None:
        return error(fields, "Database entry not found")
    return listing(fields, "DBGet", [(f"Family: {family}", f"Key: {key}", f"Val: {value}")])


def db_get_tree(store: Store, fields: Fields) -> bytes:
    """DBGetTree: what is below a family and key; everything without a family."""
    entries = store.tree(_prefix(fields))
    return listing(fields, "DBGetTree", ((f"Key: {key}", f"Val: {value}") for key, value in entries))


def db_del(store: Store, fields: Fields) -> bytes:
    """DBDel: remove one key; a missing one is an error, and not told from a failed one."""
    family, key = fields.get("family"), fields.get("key")
    if not family or not key:
        return error(fields, f"No {'key' if family else 'family'} specified.")
    if not store.delete(f"/{family}/{key}"):
        return error(fields, "Database entry could not be deleted")
    return success(fields, "Key deleted successfully")


def db_del_tree(store: Store, fields: Fields) -> bytes:
    """DBDelTree: remove what is below a family and key."""
    if not fields.get("family"):
        return error(fields, "No family specified.")
    if not store.delete_tree(_prefix(fields)):
        return error(fields, "Database entry not found")
    return success(fields, "Key tree deleted successfully")


def ping(_store: Store, fields: Fields) -> bytes:
    """Ping."""
    return response(fields, "Success", "Ping: Pong", f"Timestamp: {time.time():f}")


def core_settings(_store: Store, fields: Fields) -> bytes:
    """CoreSettings: enough of it to tell what answers."""
    return response(fields, "Success", "AMIversion: 11.0.0", "AsteriskVersion: 22 (Roost simulator)")


def list_commands(_store: Store, fields: Fields) -> bytes:
    """ListCommands: what a user of the class `system` may ask for here."""
    return response(fields, "Success", *[f"{name}: (Priv: system)" for name in COMMANDS])


def events(_store: Store, fields: Fields) -> bytes:
    """Events: the simulator has none, but says what it was told."""
    mask = fields.get("eventmask", "")
    return response(fields, "Success", f"Events: {'Off' if mask.lower() in {'off', '0', 'no'} else 'On'}")


ACTIONS: dict[str, Callable[[Store, Fields], bytes]] = {
    "dbput": db_put,
    "dbget": db_get,
    "dbgettree": db_get_tree,
    "dbdel": db_del,
    "dbdeltree": db_del_tree,
    "ping": ping,
    "coresettings": core_settings,
    "events": events,
    "listcommands": list_commands,
}
#: As Asterisk spells them.
COMMANDS = (
    "DBPut",
    "DBGet",
    "DBGetTree",
    "DBDel",
    "DBDelTree",
    "Ping",
    "CoreSettings",
    "Events",
    "ListCommands",
)
#: The actions that a user without the class `system` is denied.
DATABASE = frozenset({"dbput", "dbget", "dbgettree", "dbdel", "dbdeltree"})
#: The actions that fail when the database cannot be written, and Asterisk's words then.
WRITES = {"dbput": "Failed to update entry", "dbdel": "Database entry could not be deleted"}


def _prefix(fields: Fields) -> str:
    family, key = fields.get("family"), fields.get("key")
    if not family:
        return ""
    return f"/{family}/{key}" if key else f"/{family}"
