"""Bytes over TCP, counted at the far end.

  stream.py sink PORT                    takes all that come; each line on its input is answered with JSON: bytes by sender's address
  stream.py send HOST PORT BYTES RATE    sends at most RATE bytes in a second; gives up when nothing moves for 5 s. Prints how much it got rid of
"""
import json
import select
import socket
import sys
import time

PATIENCE_S = 5


def sink(port):
    door = socket.create_server(('::', port), family=socket.AF_INET6)
    sums, ends = {}, {}
    print('ready', flush=True)
    while True:
        for one in select.select([door, sys.stdin, *ends], [], [])[0]:
            if one is door:
                end, address = door.accept()
                ends[end] = address[0]
            elif one is sys.stdin:
                if sys.stdin.readline() == '':
                    return
                print(json.dumps(sums), flush=True)
            else:
                got = b''
                try:
                    got = one.recv(1 << 16)
                except OSError:
                    pass
                if got == b'':
                    ends.pop(one)
                    one.close()
                else:
                    sums[ends[one]] = sums.get(ends[one], 0) + len(got)


def send(host, port, total, rate):
    sock = socket.create_connection((host, port), timeout=PATIENCE_S)
    # What waits in this machine is not sent yet.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
    piece, sent, began = bytes(1 << 13), 0, time.monotonic()
    try:
        while sent < total:
            sent += sock.send(piece[: total - sent])
            time.sleep(max(0, sent / rate - (time.monotonic() - began)))
    except (TimeoutError, OSError):
        pass
    print(sent, flush=True)


if sys.argv[1] == 'sink':
    sink(int(sys.argv[2]))
else:
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
