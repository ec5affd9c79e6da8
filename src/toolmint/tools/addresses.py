"""Which addresses are of this machine or of a private network, where documents from the net may not lead."""

import ipaddress
from typing import TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class PrivateAddress(OSError):
    """A host has an address that is not public."""


def _parsed(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _inner(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 address carries, if it does."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(text: str) -> bool:
    """Return whether an IP address is one of the public net: not loopback, private, link-local or shared."""
    address = _parsed(text)
    if address is None:
        return False
    address = _inner(address)
    return address.is_global and not address.is_multicast


def is_own_host(host: str) -> bool:
    """Return whether a host, as it is written, is this machine or an address that is not public.

    Names are not looked up: who answers for a name may say what he likes.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _parsed(name) is not None and not is_public(name)
