"""The configuration files of a test node: as small as a real one with PJSIP phones, AMI, trunks and CDR may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

DIALPLAN = Path(__file__).resolve().parents[1] / "asterisk" / "roost.conf"

SIP_PORT = 5060
AMI_PORT = 5038
AMI_TLS_PORT = 5039
AMI_USER = "roost"

# fmt: off
_MODULES = (
    "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "pbx_config", "res_agi", "res_speech",
    "res_pjproject", "res_pjsip", "res_pjsip_pubsub", "res_pjsip_session", "res_pjsip_authenticator_digest",
    "res_pjsip_outbound_authenticator_digest", "res_pjsip_endpoint_identifier_user",
    "res_pjsip_endpoint_identifier_ip", "res_pjsip_registrar", "res_pjsip_sdp_rtp", "res_pjsip_dtmf_info",
    "res_pjsip_caller_id", "res_pjsip_diversion", "res_pjsip_rfc3326", "res_pjsip_acl", "res_pjsip_refer", "res_pjsip_logger",
    "res_pjsip_header_funcs", "res_rtp_asterisk", "res_srtp", "chan_pjsip", "bridge_simple",
    "bridge_native_rtp", "bridge_softmix", "bridge_builtin_features", "codec_ulaw", "codec_alaw",
    "codec_gsm", "codec_resample", "format_gsm", "format_wav", "format_pcm", "app_dial", "app_playback",
    "app_read", "app_echo", "app_stack", "app_exec", "app_verbose", "app_db", "func_db", "func_callerid",
    "func_channel", "func_global", "func_logic", "func_strings", "func_timeout", "func_uri", "func_cut",
    "func_dialplan", "func_env", "func_pjsip_endpoint", "func_pjsip_contact", "func_pjsip_aor", "func_cdr",
    "cdr_csv", "res_cdrel_custom", "cdr_custom", "func_extstate", "func_devstate", "app_queue", "app_voicemail",
    "app_directed_pickup", "app_originate", "app_mixmonitor",
    "res_pjsip_nat", "res_pjsip_outbound_publish", "res_pjsip_publish_asterisk", "res_pjsip_exten_state", "res_pjsip_dialog_info_body_generator", "res_pjsip_notify",
)
# fmt: on

_PHONE = """
[{name}]
type=endpoint
context=roost-phones
callerid={caller_id}
disallow=all
allow=ulaw
auth={name}
aors={name}
direct_media=no
dtmf_mode=rfc4733
rtp_symmetric=yes
send_pai=yes
rpid_immediate=yes
rewrite_contact=yes
{settings}
[{name}]
type=auth
auth_type=userpass
username={name}
password={secret}
[{name}]
type=aor
max_contacts={contacts}
remove_existing=yes
"""

#: Seconds until a question to a peer is given up: before the next is sent, else a peer that came meanwhile would be gone again for a moment.
GIVEN_UP = 2
_PEER = """
[{name}]
type=endpoint
identify_by=ip
context={context}
disallow=all
allow=ulaw
aors={name}
direct_media=no
trust_id_inbound=yes
trust_id_outbound=yes
send_pai=yes
[{name}]
type=aor
contact=sip:{address}:{port}
qualify_frequency=3
qualify_timeout={given_up}
[{name}]
type=identify
endpoint={name}
match={address}
[{name}-states]
type=outbound-publish
server_uri=sip:{ours}@{address}:{port}
event=asterisk-devicestate
[{name}]
type=inbound-publication
event_asterisk-devicestate={name}
[{name}]
type=asterisk-publication
devicestate_publish={name}-states
device_state=yes
device_state_filter=^PJSIP/
"""

#: A Kamailio of the cluster: its calls come from the port for nodes.
_PROXY = """
[{name}]
type=endpoint
identify_by=ip
context=roost-from-proxy
disallow=all
allow=ulaw
aors={name}
direct_media=no
dtmf_mode=rfc4733
rtp_symmetric=yes
trust_id_inbound=yes
trust_id_outbound=yes
send_pai=yes
[{name}]
type=aor
contact=sip:{address}:5062
qualify_frequency=3
qualify_timeout={given_up}
[{name}]
type=identify
endpoint={name}
match={address}
"""


@dataclass(frozen=True, slots=True)
class SipPhone:
    """One endpoint of a node. `caller_id` is its static identity, such as '"Desk 4" <+15550104>'.

    `contacts` is how many may register at once; `settings` are more lines of its endpoint in pjsip.conf.
    """

    name: str
    secret: str = field(repr=False)
    caller_id: str
    contacts: int = 1
    settings: str = ""


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """What goes into a node's configuration."""

    name: str
    address: str
    folder: Path
    modules: Path
    data: Path
    library: Path
    secret: str = field(repr=False)
    phones: Sequence[SipPhone]
    peers: Mapping[str, str]
    dialplan_globals: Mapping[str, str]
    site: str
    features: Mapping[str, str]
    first_rtp_port: int
    last_rtp_port: int
    certificate: Path | None = None
    dialplan: str = ""
    trunk_context: str = "roost-from-node"
    proxies: Mapping[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Write all files into `folder`/etc; what else a node keeps is left as it is."""
        for part in ("etc", "db", "run", "log/cdr-csv", "log/cdr-custom", "spool", "keys", "agi"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "etc").chmod(0o700)  # secrets
        for name, text in self._files().items():
            (self.folder / "etc" / name).write_text(text)

    def _files(self) -> dict[str, str]:
        return {
            "asterisk.conf": self._asterisk(),
            "modules.conf": "[modules]\nautoload=no\npreload=res_sorcery_config.so\n"
            + "".join(f"load={module}.so\n" for module in _MODULES),
            "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error,verbose\n",
            "manager.conf": self._manager(),
            "rtp.conf": f"[general]\nrtpstart={self.first_rtp_port}\nrtpend={self.last_rtp_port}\n",
            "http.conf": "[general]\nenabled=no\n",
            "cdr.conf": "[general]\nenable=yes\nunanswered=yes\n[csv]\naccountlogs=no\n",
            "cdr_custom.conf": "[mappings]\npeers.csv => ${CDR(accountcode)},${CDR(src)},${CDR(dst)},${CDR(peeraccount)}\n",
            "cel.conf": "[general]\nenable=no\n",
            "ccss.conf": "[general]\n",
            "features.conf": "[general]\n",
            "udptl.conf": "[general]\n",
            "stasis.conf": "[threadpool]\n",
            "acl.conf": "",
            "pjproject.conf": "",
            "pjsip_notify.conf": "",
            "indications.conf": "[general]\ncountry=us\n[us]\ndescription=us\nringcadence=2000,4000\n"
            "dial=350+440\nbusy=480+620/500,0/500\nring=440+480/2000,0/4000\ncongestion=480+620/250,0/250\n",
            "pjsip.conf": self._pjsip(),
            "extensions.conf": self._extensions(),
            "site.conf": self.site,
            **self.features,
        }

    def _asterisk(self) -> str:
        # Nodes that tell each other their phones' states must differ in this; by default it is the machine's.
        entity = ":".join(f"{byte:02x}" for byte in (2, 0, *ip_address(self.address).packed))
        return f"""[directories](!)
[directories]
astetcdir => {self.folder}/etc
astmoddir => {self.modules}
astvarlibdir => {self.library}
astdbdir => {self.folder}/db
astkeydir => {self.folder}/keys
astdatadir => {self.data}
astagidir => {self.folder}/agi
astspooldir => {self.folder}/spool
astrundir => {self.folder}/run
astlogdir => {self.folder}/log
[options]
verbose = 3
systemname = {self.name}
entityid = {entity}
"""

    def _manager(self) -> str:
        tls = f"""tlsenable=yes
tlsbindaddr={self.address}:{AMI_TLS_PORT}
tlscertfile={self.certificate}
tlsprivatekey={self.certificate}
"""
        return f"""[general]
enabled=yes
port={AMI_PORT}
bindaddr={self.address}
displayconnects=no
{tls if self.certificate else ""}
[{AMI_USER}]
secret={self.secret}
deny=0.0.0.0/0.0.0.0
permit=127.0.0.0/255.0.0.0
read=system,security
write=system,reporting
writetimeout=5000
"""

    def _pjsip(self) -> str:
        head = f"""[global]
type=global
user_agent={self.name}
default_outbound_endpoint=roost-nobody
[roost-nobody]
type=endpoint
[udp]
type=transport
protocol=udp
bind={self.address}:{SIP_PORT}
"""
        phones = [
            _PHONE.format(
                name=phone.name,
                secret=phone.secret,
                caller_id=phone.caller_id,
                contacts=phone.contacts,
                settings=phone.settings,
            )
            for phone in self.phones
        ]
        peers = [
            _PEER.format(
                name=name,
                address=address,
                port=SIP_PORT,
                ours=self.name,
                context=self.trunk_context,
                given_up=GIVEN_UP,
            )
            for name, address in self.peers.items()
            if name != self.name
        ]
        proxies = [
            _PROXY.format(name=name, address=address, given_up=GIVEN_UP)
            for name, address in self.proxies.items()
        ]
        return head + "".join(phones + peers + proxies)

    def _extensions(self) -> str:
        lines = ["[globals]", *(f"{name}={value}" for name, value in self.dialplan_globals.items())]
        if self.dialplan:
            return "\n".join([*lines, self.dialplan])
        lines += [f'#include "{DIALPLAN}"', f'#include "{self.folder}/etc/site.conf"']
        return "\n".join(lines) + "\n"
