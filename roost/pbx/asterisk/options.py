"""What a node of this kind is told besides how to log in."""

from __future__ import annotations

from roost.pbx.ami.options import AmiOptions


class AsteriskOptions(AmiOptions):
    """`refresh_displays`: tell a phone to ask its provisioning server again when somebody sits down or leaves (NOTIFY `check-sync`)."""

    refresh_displays: bool = False
