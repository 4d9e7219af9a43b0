"""A stand-in for batman-adv, whose module this machine does not have: one box's mesh interface as a tap, and its frames in
batman-adv's form (ethertype 0x4305) over real links, so that the kernel's counters and gates see what they see on a router. Ways
are fixed; there are no originator messages. What it forwards carries the mark that the kernel gave on arrival.

  batman.py JSON   {"tap": "bat0", "device": mac, "own": {link: mac}, "ways": {originator: [link, next hop]}, "clients": {device: originator}}

Each line on its input is answered with what it has sent so far as unicast frames, by next hop: JSON, bytes without Ethernet's 14.
"""
import errno
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys

ETH_BATMAN = 0x4305
SO_MARK = 36
FORWARDED = 0x6D620001
PACKET_IGNORE_OUTGOING = 23
SOL_PACKET = 263
TUNSETIFF = 0x400454CA
IFF_TAP_NO_INFO = 0x0002 | 0x1000
UNICAST, BROADCAST, VERSION = 0x40, 0x01, 15
ALL = b'\xff' * 6


def hardware(mac):
    return bytes.fromhex(mac.replace(':', ''))


def tap_of(name, device):
    tap = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack('16sH', name.encode(), IFF_TAP_NO_INFO))
    subprocess.run(['ip', 'link', 'set', name, 'address', device, 'up'], check=True)
    return tap


class Link:
    def __init__(self, name, mac):
        self.name, self.mac = name, hardware(mac)
        self.own, self.forwarding = self.door(0), self.door(FORWARDED)

    def door(self, mark):
        """Frames of the mesh alone: they are past the kernel's gate when they are here."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_BATMAN) if mark == 0 else 0)
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        sock.bind((self.name, ETH_BATMAN if mark == 0 else 0))
        sock.setblocking(False)
        return sock


class Mesh:
    def __init__(self, plan):
        self.tap = tap_of(plan['tap'], plan['device'])
        self.links = {name: Link(name, mac) for name, mac in plan['own'].items()}
        self.primary = hardware(next(iter(plan['own'].values())))
        self.ways = {hardware(originator): (self.links[link], hardware(hop)) for originator, (link, hop) in plan['ways'].items()}
        self.clients = {hardware(device): hardware(originator) for device, originator in plan['clients'].items()}
        # Who has lost its power does not begin with numbers that others have heard.
        self.sequence, self.heard, self.sent = int.from_bytes(os.urandom(4), 'big') >> 1, set(), {}

    def run(self):
        doors = {link.own: link for link in self.links.values()}
        print('ready', flush=True)
        while True:
            readable, _, _ = select.select([self.tap, sys.stdin, *doors], [], [])
            for one in readable:
                if one is sys.stdin:
                    if sys.stdin.readline() == '':
                        return
                    print(json.dumps(self.sent), flush=True)
                elif one == self.tap:
                    self.from_tap(os.read(self.tap, 65536))
                else:
                    self.from_link(doors[one], self.taken(one))

    def from_tap(self, frame):
        if frame[0] & 1:
            self.sequence += 1
            self.flood(None, struct.pack('!BBBBI', BROADCAST, VERSION, 50, 0, self.sequence) + self.primary + frame)
        elif frame[:6] in self.clients:
            self.forward(self.clients[frame[:6]], frame, 0, lambda originator: bytes([UNICAST, VERSION, 50, 1]) + originator)

    @staticmethod
    def taken(door):
        try:
            return door.recv(65536)
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise
            return b''

    def from_link(self, link, frame):
        packet = frame[14:]
        if len(packet) < 14:
            return
        if packet[0] == BROADCAST:
            number = packet[4:14]
            if number not in self.heard and packet[8:14] != self.primary:
                self.heard.add(number)
                self.to_tap(packet[14:])
                self.flood(link, packet)
        elif packet[0] == UNICAST and frame[:6] == link.mac:
            if packet[4:10] == self.primary:
                self.to_tap(packet[10:])
            elif packet[2] > 1:
                self.forward(packet[4:10], packet[10:], FORWARDED, lambda originator: bytes([UNICAST, VERSION, packet[2] - 1, packet[3]]) + originator)

    def forward(self, originator, inner, mark, head):
        if originator not in self.ways:
            return
        link, hop = self.ways[originator]
        packet = head(originator) + inner
        if self.pass_on(link.forwarding if mark else link.own, hop + link.mac + struct.pack('!H', ETH_BATMAN) + packet):
            name = hop.hex(':')
            self.sent[name] = self.sent.get(name, 0) + len(packet)

    def flood(self, came_by, packet):
        for link in self.links.values():
            if link is not came_by:
                self.pass_on(link.own, ALL + link.mac + struct.pack('!H', ETH_BATMAN) + packet)

    def to_tap(self, frame):
        try:
            os.write(self.tap, frame)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EIO):
                raise

    @staticmethod
    def pass_on(door, frame):
        """False: the gate dropped it on its way out, which the kernel says to a raw socket so; or there is no room now."""
        try:
            door.send(frame)
            return True
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.EPERM, errno.EAGAIN, errno.ENETDOWN, errno.ENXIO):
                raise
            return False


Mesh(json.loads(sys.argv[1])).run()
