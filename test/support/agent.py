"""Traffic maker of the tests: runs inside a network namespace and does what JSON lines on stdin ask for.

Each request {"id", "do", ...} is carried out in a thread of its own and answered {"id", ...}. Times are
CLOCK_MONOTONIC in milliseconds, the same clock in every namespace and in Node's process.hrtime.
"""
import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time

lock = threading.Lock()
conns, sniffers, received = {}, {}, {}


def now_ms():
    return time.clock_gettime(time.CLOCK_MONOTONIC) * 1000


def say(message):
    with lock:
        sys.stdout.write(json.dumps(message) + '\n')
        sys.stdout.flush()


def family(address):
    return socket.AF_INET6 if ':' in address else socket.AF_INET


def plain(address):
    return address[7:] if address.startswith('::ffff:') else address


def note(port, peer, size):
    with lock:
        entry = received.setdefault(f'{port} {plain(peer)}', {'packets': 0, 'bytes': 0, 'first_ms': now_ms(), 'last_ms': 0})
        entry['packets'] += 1
        entry['bytes'] += size
        entry['last_ms'] = now_ms()


def udp_echo(port):
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    # Answers come from the address that was asked.
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    server.bind(('::', port))

    def loop():
        while True:
            data, control, _flags, peer = server.recvmsg(65535, 256)
            info = [item for item in control if item[1] == socket.IPV6_PKTINFO]
            note(port, peer[0], len(data))
            try:
                # "grow:N:" asks for an answer of N bytes, as a DNS server's may be longer than the question.
                if data.startswith(b'grow:'):
                    data = data + b'.' * (int(data.split(b':')[1]) - len(data))
                if not data.startswith(b'mute'):
                    server.sendmsg([data], info, 0, peer)
            except OSError:
                pass
    threading.Thread(target=loop, daemon=True).start()


def tcp_serve(port, role):
    server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(('::', port))
    server.listen(128)

    def one(conn, peer):
        try:
            if role == 'hello':
                conn.sendall(f'hello from {port}\n'.encode())
                conn.recv(4096)
            elif role == 'source':
                block = b'x' * 65536
                while True:
                    conn.sendall(block)
            else:
                while True:
                    data = conn.recv(1 << 20)
                    if not data:
                        break
                    note(port, peer[0], len(data))
                    if role == 'echo':
                        conn.sendall(data)
        except OSError:
            pass
        finally:
            conn.close()

    def loop():
        while True:
            conn, peer = server.accept()
            threading.Thread(target=one, args=(conn, peer), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def do_serve(ask):
    for port in ask.get('udp', []):
        udp_echo(port)
    for port, role in ask.get('tcp', []):
        tcp_serve(port, role)
    return {}


def do_received(ask):
    with lock:
        return {'from': {key: dict(value) for key, value in received.items()}}


def udp_socket(ask):
    sock = socket.socket(family(ask['dst']), socket.SOCK_DGRAM)
    if ask.get('src'):
        sock.bind((ask['src'], ask.get('sport', 0)))
    sock.connect((ask['dst'], ask['port']))
    return sock


def do_udp(ask):
    """One packet and its echo; `error` names what came back instead."""
    sock = udp_socket(ask)
    token = (ask.get('text') or f'probe-{os.getpid()}-{time.monotonic_ns()}').encode()
    token += b'.' * max(0, ask.get('size', 0) - len(token))
    sent, error = now_ms(), None
    try:
        sock.send(token)
        sock.settimeout(ask.get('timeout_ms', 400) / 1000)
        answer = sock.recv(65535)
        return {'ok': answer.startswith(token), 'bytes': len(answer), 'sent_ms': sent, 'got_ms': now_ms()}
    except socket.timeout:
        error = 'timeout'
    except OSError as problem:
        error = errno.errorcode.get(problem.errno, str(problem))
    finally:
        sock.close()
    return {'ok': False, 'error': error, 'sent_ms': sent}


def do_udp_train(ask):
    """Packets at a steady pace; for each, when it was sent and whether its echo came back."""
    sock = udp_socket(ask)
    sock.setblocking(False)
    end = now_ms() + ask['for_ms']
    size, interval = ask.get('size', 64), ask.get('interval_ms', 2)
    sent, echoed = [], set()

    def drain():
        while True:
            try:
                echoed.add(int(sock.recv(65535).split(b' ')[1]))
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
    due = now_ms()
    say({'id': ask['id'], 'event': 'running'})
    while now_ms() < end:
        try:
            at = now_ms()
            sock.send(f'train {len(sent)} '.encode().ljust(size, b'.'))
            sent.append(at)
        except OSError:
            sent.append(-at)
        due += interval
        while True:
            left = due - now_ms()
            if left <= 0:
                break
            select.select([sock], [], [], left / 1000)
            drain()
    last = now_ms() + ask.get('linger_ms', 200)
    while now_ms() < last:
        select.select([sock], [], [], 0.02)
        drain()
    return {'sent': sent, 'echoed': sorted(echoed)}


def do_udp_send(ask):
    """One way; returns how many the kernel took."""
    sock = udp_socket(ask)
    text = (ask.get('text') or 'mute').encode().ljust(ask.get('size', 64), b'.')
    taken = 0
    for _ in range(ask['count']):
        try:
            sock.send(text)
            taken += 1
        except OSError:
            pass
        if ask.get('interval_ms'):
            time.sleep(ask['interval_ms'] / 1000)
    return {'taken': taken}


def do_tcp(ask):
    """Connects, optionally sends a request, reads what comes first."""
    sock = socket.socket(family(ask['dst']), socket.SOCK_STREAM)
    sock.settimeout(ask.get('timeout_ms', 1000) / 1000)
    try:
        sock.connect((ask['dst'], ask['port']))
        if ask.get('request'):
            sock.sendall(ask['request'].encode())
        return {'result': 'open', 'text': sock.recv(65536).decode('latin1')}
    except socket.timeout:
        return {'result': 'timeout'}
    except OSError as problem:
        return {'result': errno.errorcode.get(problem.errno, str(problem))}
    finally:
        sock.close()


def do_tcp_open(ask):
    sock = socket.socket(family(ask['dst']), socket.SOCK_STREAM)
    sock.settimeout(ask.get('timeout_ms', 1000) / 1000)
    try:
        sock.connect((ask['dst'], ask['port']))
    except OSError as problem:
        return {'result': errno.errorcode.get(problem.errno, str(problem))}
    conns[ask['conn']] = sock
    return {'result': 'open'}


def do_tcp_echo(ask):
    """Sends a token through an open connection and waits for it to come back."""
    sock = conns[ask['conn']]
    token = f'token-{time.monotonic_ns()}'.encode()
    try:
        sock.settimeout(ask.get('timeout_ms', 400) / 1000)
        sock.sendall(token)
        got = b''
        while token not in got:
            data = sock.recv(65536)
            if not data:
                return {'ok': False, 'error': 'closed'}
            got += data
        return {'ok': True}
    except socket.timeout:
        return {'ok': False, 'error': 'timeout'}
    except OSError as problem:
        return {'ok': False, 'error': errno.errorcode.get(problem.errno, str(problem))}


def do_tcp_read(ask):
    """Reads from an open connection for a while; returns the bytes that came."""
    sock = conns[ask['conn']]
    end, total = now_ms() + ask['for_ms'], 0
    while now_ms() < end:
        try:
            sock.settimeout(max(0.001, (end - now_ms()) / 1000))
            data = sock.recv(1 << 20)
        except OSError:
            break
        if not data:
            break
        total += len(data)
    return {'bytes': total}


def do_tcp_write(ask):
    """Writes into an open connection for a while; returns the bytes the kernel took."""
    sock = conns[ask['conn']]
    end, total, block = now_ms() + ask['for_ms'], 0, b'y' * 65536
    while now_ms() < end:
        try:
            sock.settimeout(max(0.001, (end - now_ms()) / 1000))
            total += sock.send(block)
        except OSError:
            break
    return {'bytes': total}


def do_tcp_close(ask):
    sock = conns.pop(ask['conn'])
    # With a reset, so that what is still queued does not come along later and disturb another test.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    try:
        sock.shutdown(socket.SHUT_RDWR)  # wakes a reader or writer
    except OSError:
        pass
    sock.close()
    return {}


def raw_socket(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((device, 0))
    return sock


def do_frames(ask):
    """Ethernet frames as they are, from `frames` in hex."""
    sock = raw_socket(ask.get('dev', 'eth0'))
    for text in ask['frames']:
        sock.send(bytes.fromhex(text))
        if ask.get('interval_ms'):
            time.sleep(ask['interval_ms'] / 1000)
    sock.close()
    return {}


def do_sniff(ask):
    """Collects incoming frames of a device until `sniffed`."""
    sock = raw_socket(ask.get('dev', 'eth0'))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    frames = []
    sniffers[ask['name']] = (sock, frames)

    def loop():
        while True:
            try:
                data, where = sock.recvfrom(65535)
            except OSError:
                return
            if where[2] != socket.PACKET_OUTGOING and len(frames) < 20000:
                frames.append(data[:256].hex())
    threading.Thread(target=loop, daemon=True).start()
    return {}


def do_sniffed(ask):
    sock, frames = sniffers.pop(ask['name'])
    sock.close()
    return {'frames': frames}


def work(ask):
    try:
        answer = globals()['do_' + ask['do']](ask)
    except Exception as problem:  # told to the test, which fails with it
        answer = {'failed': f'{type(problem).__name__}: {problem}'}
    say({'id': ask['id'], **answer})


say({'id': 0, 'event': 'ready'})
for line in sys.stdin:
    threading.Thread(target=work, args=(json.loads(line),), daemon=True).start()
os._exit(0)
