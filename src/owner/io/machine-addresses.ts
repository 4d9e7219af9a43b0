/** The machine's own addresses. Interfaces come and go, so they are asked anew every few seconds and not for each request. */
import { networkInterfaces } from 'node:os'
import type { NetworkAddress } from '../request-origin.ts'

const FOR_MS = 5000

/** `read`: what they are; left out, the machine is asked. */
export function machineAddresses(boottimeMs: () => number, read: () => readonly NetworkAddress[] = ofMachine): () => readonly NetworkAddress[] {
  let at = Number.NEGATIVE_INFINITY
  let list: readonly NetworkAddress[] = []
  return () => {
    const now = boottimeMs()
    if (now - at > FOR_MS) [at, list] = [now, read()]
    return list
  }
}

function ofMachine(): NetworkAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap((one) => (one.cidr === null ? [] : [{ interface: name, cidr: one.cidr }])),
  )
}
