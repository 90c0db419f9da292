"""Reaching a network: a sandbox has its loopback, which nobody else is on, and no way to any other."""

import secrets
import socket
from collections.abc import Callable

import pytest

TABLE = {
    "NET interfaces": ("say(*[line.split(':')[0].strip() for line in list(open('/proc/net/dev'))[2:]])", "lo"),
    "NET routes out": ("""
        far = [("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 53), ("172.17.0.1", 2375)]
        tcp = {attempt(socket.socket().connect, place) for place in far}
        udp = {attempt(socket.socket(type=socket.SOCK_DGRAM).sendto, b"x", place) for place in far}
        say(*tcp | udp)""", "ENETUNREACH"),
    "NET routes out of version 6": ("""
        say(attempt(socket.socket(socket.AF_INET6).connect, ("2606:4700::1111", 53)) in
            ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"))""", "True"),
    "NET neighbours of version 6": ("""
        def sent(place):
            return attempt(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto, b"x", (place, 53, 0, 1))
        none = ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT")
        say(*{sent(place) in none for place in ("ff02::1", "fe80::1", "fd00::1")})""", "True"),
    "NET everybody at once": ("""
        sender = socket.socket(type=socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        everybody = ("255.255.255.255", "224.0.0.1", "172.17.255.255")
        say(*(attempt(sender.sendto, b"x", (place, 67)) for place in everybody))""", "ENETUNREACH"),
    "NET names": ("""
        try: say(socket.getaddrinfo("example.org", 80))
        except socket.gaierror: say("no name")""", "no name"),
    "NET the resolver of the engine": ("""
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.connect(("127.0.0.11", 53)); udp.send(b"x" * 12)
        say(attempt(udp.recv, 1), attempt(socket.socket().connect, ("127.0.0.11", 53)))""", "ECONNREFUSED"),
    "NET families that know no namespace": ("""
        families = (socket.AF_VSOCK, socket.AF_ALG, socket.AF_NETLINK, socket.AF_PACKET, 31, 44)
        say(*{attempt(socket.socket, family, socket.SOCK_RAW) for family in families})""", "EPERM"),
    "NET the hypervisor": ("say(attempt(socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM))", "EPERM"),
    "NET the kernel's cryptography": ("say(attempt(socket.socket, socket.AF_ALG, socket.SOCK_SEQPACKET))", "EPERM"),
    "NET protocols that the kernel would load a module for": ("""
        kinds = ((socket.SOCK_STREAM, 132), (socket.SOCK_STREAM, 262), (socket.SOCK_DGRAM, 136), (6, 33))
        say(*(attempt(socket.socket, socket.AF_INET, *kind) for kind in kinds))""", "EPERM"),
    "NET raw packets": ("say(attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1))", "EPERM"),
    "NET pings": ("say(attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM, 1))", "EPERM"),
    "NET an address or a route of its own": ("""
        here = socket.socket().fileno()
        say(*(call("ioctl", here, request, b"lo" + bytes(118)) for request in (0x8916, 0x8914, 0x890B)))""", "EPERM"),
    "NET sockets of others by name": ("say(len(list(open('/proc/net/unix'))) - 1)", "0"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), TABLE.values(), ids=TABLE.keys())
def test_it_gets_no_further_than(attempted: Callable[[str], str], code: str, said: str) -> None:
    assert attempted(code) == said


@pytest.mark.attack("NET", "a port of the host on its loopback")
def test_it_does_not_reach_a_port_of_the_host(attempted: Callable[[str], str]) -> None:
    with socket.create_server(("0.0.0.0", 0)) as host:
        port = host.getsockname()[1]
        assert attempted(f"say(attempt(socket.socket().connect, ('127.0.0.1', {port})))") == "ECONNREFUSED"


@pytest.mark.attack("NET", "a socket of the host that has a name and no file")
def test_it_does_not_reach_an_abstract_socket_of_the_host(attempted: Callable[[str], str]) -> None:
    name = f"assay-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX) as host:
        host.bind(f"\0{name}")
        host.listen()
        connects = f"socket.socket(socket.AF_UNIX).connect, chr(0) + '{name}'"
        assert attempted(f"say(attempt({connects}))") == "ECONNREFUSED"
