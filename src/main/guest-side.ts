/**
 * The guests' side, as doors that are the owner's or other boxes' have to see it: none of them opens on an address of it, whatever the
 * firewall would let through, and what is the owner's alone answers nobody who comes from there or from the mesh.
 */
import { networkInterfaces } from 'node:os'
import { MeshBoxError } from '../base/index.ts'
import type { Config } from '../config/index.ts'
import { isFromOwnersSide, machineAddresses, type NetworkAddress } from '../owner/index.ts'

type GuardedOption = 'chain.rpc_address' | 'iot.broker_listen_address' | 'iot.gwmp_address' | 'iot.station_address' | 'photon.listen_address' | 'photon.v1_listen_address'

/** Null: this box has no guests, or only watches them. */
export function guestInterfaceOf({ main, hotspot }: Pick<Config, 'main' | 'hotspot'>): string | null {
  return main.roles.includes('hotspot') && hotspot.gate === 'nft' ? hotspot.guestInterface : null
}

/** Who is a guest and who is not is told by the door he comes through. Errors: forbidden `bad-<section>-address`. */
export function refuseGuests(option: GuardedOption, address: string, guestInterface: string | null): void {
  const onGuests = guestInterface !== null && (networkInterfaces()[guestInterface] ?? []).some((one) => one.address === address.toLowerCase())
  if (!onGuests) return
  throw new MeshBoxError('forbidden', `${option}: ${address} belongs to the guest interface ${guestInterface}`, {
    code: `bad-${option.split('.')[0] ?? ''}-address`,
    field: option,
    value: address,
    allowed: "an address of the mesh or of the owner's network, or 127.0.0.1",
  })
}

/** Of a remote address, whether it is neither a guest's nor another box's. */
export function ownersSide(guestInterface: string | null, boottimeMs: () => number, read?: () => readonly NetworkAddress[]): (remoteAddress: string) => boolean {
  const addresses = machineAddresses(boottimeMs, read)
  return (remote) => isFromOwnersSide(remote, guestInterface, addresses())
}
