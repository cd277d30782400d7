"""From where somebody comes, as limits count it."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address


def network_of(host: str) -> str:
    """The address that counts: of IPv6 the /64, within which one machine may take any address (RFC 6177)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((address, 64), strict=False))
    return host
