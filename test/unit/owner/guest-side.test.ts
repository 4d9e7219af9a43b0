/** Doors beside the dashboard that are the owner's alone: on no address of the guests, and no answer to them or to other boxes. */
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/index.ts'
import { guestInterfaceOf, ownersSide, refuseGuests } from '../../../src/main/guest-side.ts'
import { refuseGuestDoors } from '../../../src/main/iot.ts'
import type { NetworkAddress } from '../../../src/owner/index.ts'

const MACHINE: readonly NetworkAddress[] = [
  { interface: 'lo', cidr: '127.0.0.1/8' },
  { interface: 'br-lan', cidr: '192.168.1.1/24' },
  { interface: 'br-lan', cidr: 'fd00:1::1/64' },
  { interface: 'br-guest', cidr: '10.77.0.1/22' },
  { interface: 'br-guest', cidr: 'fd00:2::1/64' },
  { interface: 'bat0', cidr: 'fd12:3456:789a:1::5/64' },
]

/** The one interface that every machine has stands for the guests'. */
const ON_GUESTS = 'lo'
const OWN = networkInterfaces()[ON_GUESTS]?.[0]?.address ?? ''

const config = (...iot: readonly string[]) => loadConfig(`config meshbox 'main'\n\tlist roles 'hotspot'\n\tlist roles 'iot'\nconfig hotspot 'hotspot'\n\toption gate 'nft'\n\toption guest_interface '${ON_GUESTS}'\nconfig iot 'iot'\n${iot.map((line) => `\t${line}\n`).join('')}`, 'test')

describe("the owner's side", () => {
  it.each([
    ['127.0.0.1', true],
    ['192.168.1.20', true],
    ['::ffff:192.168.1.20', true],
    ['fd00:1::20', true],
    ['10.77.3.9', false],
    ['::ffff:10.77.3.9', false],
    ['fd00:2::20', false],
    ['fd12:3456:789a:1::9', false],
    ['', false],
    ['nobody', false],
  ])('%s: %s', (remote, isOwners) => {
    expect(ownersSide('br-guest', () => 0, () => MACHINE)(remote)).toBe(isOwners)
  })

  it('has no guests where the box has none', () => {
    expect(ownersSide(null, () => 0, () => MACHINE)('10.77.3.9')).toBe(true)
    expect(guestInterfaceOf(loadConfig('', 'test'))).toBe(null)
  })

  it('asks the machine anew, for interfaces come and go', () => {
    let nowMs = 0
    let machine = MACHINE.filter((one) => one.interface !== 'br-guest')
    const admits = ownersSide('br-guest', () => nowMs, () => machine)
    expect(admits('10.77.3.9')).toBe(true)
    machine = [...MACHINE]
    nowMs = 6_000
    expect(admits('10.77.3.9')).toBe(false)
  })
})

describe("a door on the guests' own address", () => {
  it('is refused by the name of its option', () => {
    expect(() => refuseGuests('chain.rpc_address', OWN, ON_GUESTS)).toThrow(expect.objectContaining({ code: 'bad-chain-address', field: 'chain.rpc_address', value: OWN }))
    expect(() => refuseGuests('chain.rpc_address', '192.0.2.1', ON_GUESTS)).not.toThrow()
    expect(() => refuseGuests('chain.rpc_address', OWN, null)).not.toThrow()
  })

  it('is refused for concentrators and the broker, where it is open at all', () => {
    const away = "option gwmp_port '0'"
    expect(() => refuseGuestDoors(config(`option gwmp_address '${OWN}'`))).toThrow(expect.objectContaining({ field: 'iot.gwmp_address' }))
    expect(() => refuseGuestDoors(config(away, `option station_address '${OWN}'`, "option station_port '3001'"))).toThrow(expect.objectContaining({ field: 'iot.station_address' }))
    expect(() => refuseGuestDoors(config(away, `option broker_listen_address '${OWN}'`))).toThrow(expect.objectContaining({ field: 'iot.broker_listen_address' }))
    expect(() => refuseGuestDoors(config(away))).not.toThrow()
  })
})
