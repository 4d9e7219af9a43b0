/**
 * The beacon's sockets on exactly one interface. One hears: it is bound to the group ff02::4d42 with the interface's zone, so
 * that the kernel gives it nothing that came by another one, and nothing that was sent to the box itself. One speaks, from
 * this box's own unique local address, since who hears a beacon compares where it came from with what it says. Link-local
 * multicast (RFC 4291 2.7) leaves no link.
 */
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { MeshBoxError, asError } from '../../../base/index.ts'
import { ip6Text, ipBytes, isUniqueLocal, isWithin } from '../addresses.ts'
import type { Prefix } from '../addresses.ts'
import type { BeaconSocket, BeaconSocketEnds } from '../beacon-station.ts'

const BEACON_GROUP = 'ff02::4d42'
export const BEACON_PORT = 40_003

/** The interface's unique local address within one of the prefixes; null: none. Of several the lowest, so that it stays the same. */
export function uniqueLocalOf(interfaceName: string, prefixes: readonly Prefix[]): string | null {
  const own = (networkInterfaces()[interfaceName] ?? []).flatMap(({ address }) => {
    const bytes = ipBytes(address)
    return bytes !== null && isUniqueLocal(bytes) && prefixes.some((prefix) => isWithin(bytes, prefix)) ? [ip6Text(bytes)] : []
  })
  return own.sort()[0] ?? null
}

/** Errors: unavailable `cannot-listen`. */
export async function openBeaconSocket(interfaceName: string, ip6: string, ends: BeaconSocketEnds, port = BEACON_PORT): Promise<BeaconSocket> {
  const zone = `::%${interfaceName}`
  const ears = createSocket({ type: 'udp6', ipv6Only: true, reuseAddr: true })
  const mouth = createSocket({ type: 'udp6', ipv6Only: true })
  const close = async (): Promise<void> => {
    await Promise.all([ears, mouth].map(closed))
  }
  try {
    await bound(ears, port, `${BEACON_GROUP}%${interfaceName}`, () => ears.addMembership(BEACON_GROUP, zone))
    await bound(mouth, 0, ip6, () => {
      mouth.setMulticastInterface(zone)
      mouth.setMulticastTTL(1)
      mouth.setMulticastLoopback(false)
    })
  } catch (thrown) {
    await close()
    const error = asError(thrown)
    throw new MeshBoxError('unavailable', `cannot speak and hear on ${interfaceName} as ${ip6}: ${error.message}`, { code: 'cannot-listen', field: 'interface', value: interfaceName, cause: error })
  }
  for (const socket of [ears, mouth]) socket.on('error', (error) => ends.onFailed(error))
  // The buffer is the socket's own; what is kept must be a copy.
  ears.on('message', (bytes, from) => ends.onDatagram(Uint8Array.from(bytes), from.address.split('%', 1)[0] ?? ''))
  return {
    send: (datagram) => mouth.send(datagram, port, `${BEACON_GROUP}%${interfaceName}`, (error) => error !== null && ends.onFailed(error)),
    close,
  }
}

function bound(socket: Socket, port: number, address: string, prepare: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeListener('error', reject)
      try {
        prepare()
        resolve()
      } catch (thrown) {
        reject(asError(thrown))
      }
    })
  })
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(() => resolve())
    } catch {
      resolve() // it was closed by its own error
    }
  })
}
