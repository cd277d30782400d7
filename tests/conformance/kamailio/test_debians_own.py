"""Debian's own kamailio.cfg, as people have it, with what docs/kamailio.md tells them to write: it starts, and takes its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from localcluster.kamailio import HTTP_PORT, SOURCES, KamailioNode, kamailio_addresses
from localcluster.kamailio_install import kamailio_program
from roost.pbx.kamailio import KIND
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.kinds import Examined
from roost.pbx.node import Cursor, Rings

_PAGE = (Path(__file__).parents[3] / "docs" / "kamailio.md").read_text()
#: Step 6 and 7 of the page; nobody calls here.
_ROUTES = """
event_route[xhttp:request] {
	if ($hu =~ "^/roost/") route(ROOST_HTTP);
	xhttp_reply("404", "Not Found", "text/plain", "");
}
route[ROOST_OUTGOING] { sl_send_reply("404", "Not Found"); }
route[ROOST_EMERGENCY_OUTGOING] { sl_send_reply("404", "Not Found"); }
"""


def lines_of_the_page() -> str:
    """What step 1 tells people to write."""
    (block,) = re.findall(r"^ *```cfg\n(.*?)^ *```", _PAGE, re.MULTILINE | re.DOTALL)
    return dedent(block)


class DebiansOwn(KamailioNode):
    """Debian's configuration, edited by the page."""

    def _configuration(self) -> str:
        first, modules = lines_of_the_page().split("loadmodule", 1)
        modules, last = ("loadmodule" + modules).split('include_file "roost.cfg"')
        own = (self._program.root / "etc/kamailio/kamailio.cfg").read_text()
        for line in modules.splitlines():  # it says something else
            if found := re.match(r'modparam\("(\w+)", "(\w+)"', line):
                own = re.sub(rf'^modparam\("{found[1]}", "{found[2]}".*$', "", own, flags=re.MULTILINE)
        ports = f"listen=udp:{self.address}:5060\nlisten=udp:{self.address}:5062\nsocket_workers=2\nlisten=tcp:{self.address}:{HTTP_PORT}\n"
        globals_, loaded, rest = own.partition("####### Modules Section ########\n")
        parameters, logic, routes = rest.partition("####### Routing Logic ########\n")
        below = re.sub(r'(loadmodule "counters.so"\n)', lambda found: found[1] + modules, parameters, count=1)
        return (
            f"#!KAMAILIO\n{first}{globals_}tcp_rd_buf_size=32768\n{ports}{loaded}{below}"
            f'include_file "roost.cfg"{last}{_ROUTES}{logic}{routes}'
        )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[KamailioNode]:
    (address,) = kamailio_addresses("k1").values()
    running = DebiansOwn("k1", address, tmp_path / "k1", program=kamailio_program())
    running.start()
    yield running
    running.stop()


def test_debians_own_configuration_takes_routes_when_it_is_edited_by_the_page(node: KamailioNode) -> None:
    with closing(KIND.connect(node.control, KamailioOptions(), 5)) as reached:
        cursor = Cursor("life-1", 1)
        assert reached.apply([Rings("0001*001", "k1", "desk-1")], cursor) == []
        assert reached.cursor() == cursor
        examined = Examined("k1", node.control, KamailioOptions(), reached, "*30")
        assert list(KIND.examine(examined)) == []


def test_what_the_page_tells_people_to_write_is_what_all_tests_of_calls_run_on() -> None:
    told = {re.sub(r"\s+# .*", "", line) for line in lines_of_the_page().splitlines()}
    assert told <= set((SOURCES / "site.cfg.sample").read_text().splitlines())
