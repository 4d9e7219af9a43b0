/** What one server northbound gets: frames that fit one of its routes. Pure. For thousands of prefixes there is the tenants' tree; a server has few. */
import { MeshBoxError } from '../../../base/index.ts'
import { decodeFrame, hasPrefix, prefixOfNetId } from '../../lorawan/index.ts'
import type { AddressPrefix, Frame } from '../../lorawan/index.ts'
import type { Route } from '../../ports.ts'

/** Null: everything that is an uplink. What is no uplink, or no LoRaWAN, fits nothing. */
export function frameFilter(routes: readonly Route[] | null): (phy: Uint8Array) => boolean {
  const tests = routes?.map(testOf) ?? null
  return (phy) => {
    const frame = uplinkOf(phy)
    return frame !== null && (tests === null || tests.some((fits) => fits(frame)))
  }
}

function testOf(route: Route): (frame: Frame) => boolean {
  if (route.kind === 'join') {
    return (frame) => {
      if (frame.type === 'join-request') return frame.joinEui === route.joinEui && (route.devEui === null || frame.devEui === route.devEui)
      return frame.type === 'rejoin-request' && (frame.joinEui === route.joinEui || route.devEui === frame.devEui)
    }
  }
  const prefix: AddressPrefix = route.kind === 'net-id' ? prefixOfNetId(route.netId) : { prefix: route.prefix, bits: route.prefixBits }
  return (frame) => (frame.type === 'data' ? hasPrefix(frame.devAddr, prefix) : route.kind === 'net-id' && frame.type === 'rejoin-request' && frame.netId === route.netId)
}

function uplinkOf(phy: Uint8Array): Frame | null {
  let frame: Frame
  try {
    frame = decodeFrame(phy)
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return null
    throw thrown
  }
  if (frame.type === 'data') return frame.direction === 'up' ? frame : null
  return frame.type === 'join-accept' ? null : frame
}
