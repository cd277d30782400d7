"""Kamailio 5.6 to 6.1, whose configuration includes Roost's own (`kamailio/`)."""

from roost.pbx.kamailio.adapter import KamailioNode
from roost.pbx.kamailio.doctor import examine
from roost.pbx.kamailio.options import KamailioOptions, usual_port
from roost.pbx.kinds import PbxKind

KIND = PbxKind(
    name="kamailio",
    options=KamailioOptions,
    port=usual_port,
    connect=KamailioNode,
    examine=examine,
    forgets=True,
    if_refused="Compare ROOST_SECRET and ROOST_HTTP_FROM there with the node's secret and with where the push workers run.",
    if_drifted="Find who else writes the table `roost` there, such as kamcmd htable.sets.",
)
