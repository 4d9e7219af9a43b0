/** UDP sockets of this room: the packets' door at one address of the LAN, and the group of mDNS on the same network. */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { MeshBoxError } from '../../../base/index.ts'
import type { DatagramSocket, GroupSocket } from '../lan-door.ts'
import type { Place } from '../places.ts'

type OnDatagram = (bytes: Uint8Array, from: Place) => void

/** Errors: unavailable `cannot-listen`. */
export function openPacketSocket(host: string, port: number, onDatagram: OnDatagram): Promise<DatagramSocket> {
  return bound(createSocket('udp4'), port, host, onDatagram, () => undefined)
}

/** Sends to groups on the network of `host`, and takes what is sent to it alone. Errors: unavailable `cannot-listen`. */
export function openAskingSocket(host: string, onDatagram: OnDatagram): Promise<DatagramSocket> {
  const socket = createSocket('udp4')
  return bound(socket, 0, host, onDatagram, () => {
    socket.setMulticastInterface(host)
    socket.setMulticastTTL(255)
  })
}

/** Takes only what is sent to the group; sends on the network of `host`. Errors: unavailable `cannot-listen`. */
export async function openGroupSocket(host: string, group: Place, onDatagram: OnDatagram): Promise<GroupSocket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const join = (): void => {
    socket.addMembership(group.host, host)
    socket.setMulticastInterface(host)
  }
  const opened = await bound(socket, group.port, group.host, onDatagram, () => {
    join()
    // RFC 6762 11: as they are sent; nothing forwards them.
    socket.setMulticastTTL(255)
    socket.setMulticastLoopback(true)
  })
  // Either fails while the interface is away, and the first where the kernel has forgotten it: the next time is soon.
  return { ...opened, renew: () => void (succeeds(() => socket.dropMembership(group.host, host)), succeeds(join)) }
}

function succeeds(run: () => void): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}

/** Tells of an address whether it is of the network that `host` of this box is in; of none while the box does not have `host`. */
export function networkOf(host: string): (other: string) => boolean {
  // Asked of the kernel once: every datagram comes by here.
  let mask: number | null = null
  return (other) => {
    mask ??= netmaskOf(host)
    return mask !== null && (numberOf(host) & mask) === (numberOf(other) & mask)
  }
}

function netmaskOf(host: string): number | null {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).find(({ address, family }) => family === 'IPv4' && address === host)
  return own === undefined ? null : numberOf(own.netmask)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0)
}

function bound(socket: Socket, port: number, host: string, onDatagram: OnDatagram, prepare: () => void): Promise<DatagramSocket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(new MeshBoxError('unavailable', `cannot listen at UDP ${host}:${port}: ${error.message}`, { code: 'cannot-listen', cause: error }))
    }
    socket.once('error', fail)
    // The buffer is the socket's own; what is kept must be a copy.
    socket.on('message', (bytes, from) => onDatagram(Uint8Array.from(bytes), { host: from.address, port: from.port }))
    socket.bind(port, host, () => {
      try {
        prepare()
      } catch (thrown) {
        return fail(thrown instanceof Error ? thrown : new Error('the network refuses'))
      }
      socket.removeListener('error', fail)
      socket.on('error', () => undefined) // a datagram that could not be sent is as good as lost, and is sent again
      const local = socket.address()
      resolve({
        local: { host: local.address, port: local.port },
        // A datagram may come from port 0, and Node throws where one is to be sent there.
        send: (bytes, to) => {
          if (to.port > 0) socket.send(bytes, to.port, to.host, () => undefined)
        },
        close: () => new Promise((closed) => socket.close(() => closed())),
      })
    })
  })
}
