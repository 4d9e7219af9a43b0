"""Frames of batman-adv's form, by a raw socket: a stand-in for batman-adv, whose module this machine does not have.

  frames.py send IFACE JSON     [{"to", "type", "originator", "bytes", "count", "mark", "ether"}, ...]
  frames.py count IFACE         counts arriving frames of ethertype 0x4305 until stdin ends

`bytes` is the frame without its 14 bytes of Ethernet header. Prints JSON: frames and bytes, without those 14, per packet type;
what is dropped on its way out of this machine is not counted as sent.
"""
import errno
import json
import select
import socket
import struct
import sys

ETH_BATMAN = 0x4305
SO_MARK = 36
PACKET_IGNORE_OUTGOING = 23
SOL_PACKET = 263


def hardware(mac):
    return bytes.fromhex(mac.replace(':', ''))


def send(interface, orders):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, 0))
    own = sock.getsockname()[4]
    sums = {}
    for order in orders:
        sock.setsockopt(socket.SOL_SOCKET, SO_MARK, order.get('mark', 0))
        # Packet type, version 15, ttl 50, table number, the originator it is for; then the frame inside.
        head = bytes([order['type'], 15, 50, 0]) + hardware(order['originator'])
        payload = head + bytes(order['bytes'] - len(head))
        frame = hardware(order['to']) + own + struct.pack('!H', order.get('ether', ETH_BATMAN)) + payload
        sent = sum(passed(sock, frame) for _ in range(order['count']))
        entry = sums.setdefault(str(order['type']), {'frames': 0, 'bytes': 0})
        entry['frames'] += sent
        entry['bytes'] += sent * order['bytes']
    print(json.dumps(sums), flush=True)


def passed(sock, frame):
    """False: dropped on its way out of this machine, which the kernel says to a raw socket so."""
    try:
        sock.send(frame)
        return True
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise
        return False


def count(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_BATMAN))
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((interface, ETH_BATMAN))
    print('ready', flush=True)
    sums, is_over = {}, False
    while True:
        readable, _, _ = select.select([sock, sys.stdin], [], [], 1)
        if sock in readable:
            frame = sock.recv(65536)
            entry = sums.setdefault(str(frame[14]), {'frames': 0, 'bytes': 0})
            entry['frames'] += 1
            entry['bytes'] += len(frame) - 14
        elif is_over:
            break
        elif sys.stdin in readable:
            # What the kernel has already is still read.
            is_over = True
    print(json.dumps(sums), flush=True)


if sys.argv[1] == 'send':
    send(sys.argv[2], json.loads(sys.argv[3]))
else:
    count(sys.argv[2])
