"""Which addresses staff may sign in from: networks as ``10.0.0.0/8`` or single addresses, IPv4 and IPv6."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


@lru_cache(maxsize=1024)
def network(text: str) -> IPv4Network | IPv6Network:
    """A network; raises ValueError for what is none, also for one with bits set behind its mask."""
    return ip_network(text)


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of the networks. No networks: anywhere. What is no address lies in none."""
    if not networks:
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network(each) for each in networks)
