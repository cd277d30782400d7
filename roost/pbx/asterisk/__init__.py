"""Asterisk 18 to 22, whose dialplan includes Roost's own (`asterisk/`)."""

from roost.pbx.ami.options import usual_port
from roost.pbx.asterisk.adapter import AsteriskNode, messages_of
from roost.pbx.asterisk.doctor import examine
from roost.pbx.asterisk.messages import AsteriskRegistrations
from roost.pbx.asterisk.options import AsteriskOptions
from roost.pbx.kinds import PbxKind

KIND = PbxKind(
    name="asterisk",
    options=AsteriskOptions,
    port=usual_port,
    connect=AsteriskNode,
    examine=examine,
    if_refused="Check manager.conf there.",
    if_drifted="Find who else writes the family `roost` of its AstDB.",
    messages=messages_of,
    registrations=AsteriskRegistrations,
    default=True,
)
