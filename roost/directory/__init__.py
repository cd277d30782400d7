"""The directory: what is provisioned. Organizations, extensions, phones and nodes, each in its module, with their fields and imports.

Every method is one transaction. What a change does to guests and to the nodes follows from the schema's triggers,
as it does for a person with psql. Raises the errors of roost.directory.errors, BadField and DatabaseUnavailable.
"""

from roost.directory.extensions import ExtensionDirectory
from roost.directory.nodes import NodeDirectory
from roost.directory.organizations import OrganizationDirectory
from roost.directory.phones import PhoneDirectory
from roost.directory.store import LIMIT

__all__ = ["LIMIT", "Directory"]


class Directory(OrganizationDirectory, ExtensionDirectory, PhoneDirectory, NodeDirectory):
    """All of it. `seal_public_key` is needed only to set the secret of a node."""
