"""FreePBX 17 with PJSIP phones, whose dialplan is generated: Roost moves people by the keys that it reads (`freepbx/`)."""

from roost.pbx.ami.options import usual_port
from roost.pbx.freepbx.adapter import FreepbxNode
from roost.pbx.freepbx.desks import found_desks
from roost.pbx.freepbx.doctor import examine
from roost.pbx.freepbx.options import FreepbxOptions
from roost.pbx.kinds import PbxKind
from roost.pbx.node import Demands

KIND = PbxKind(
    name="freepbx",
    options=FreepbxOptions,
    port=usual_port,
    connect=FreepbxNode,
    examine=examine,
    if_refused="Check manager_custom.conf there.",
    if_drifted="Somebody edited an extension, restored FreePBX or reloaded its dialplan; or switch off *11 and *12 there.",
    # AstDB has users by number alone, and a phone is a device of that id.
    demands=Demands(
        one_organization=True, phone_name="[1-9][0-9]{0,19}", phone_words="1 to 20 digits, the id of a device"
    ),
    # An edit in the web interface takes a guest off the phone: that is noticed here alone.
    audit_every=15.0,
    desks=found_desks,
)
