/** Who is at the broker, from the lines of mosquitto 2.0's log. */
import { describe, expect, it } from 'vitest'
import { BrokerGuests } from '../../../src/iot/mqtt/mosquitto/guests.ts'
import type { BrokerUser } from '../../../src/iot/mqtt/mosquitto/configuration.ts'

const USERS: readonly BrokerUser[] = [
  { name: 'acme-server', passwordHash: '', may: { kind: 'tenant', tenant: 'acme' } },
  { name: 'evil', passwordHash: '', may: { kind: 'tenant', tenant: 'evil' } },
  { name: 'home', passwordHash: '', may: { kind: 'owner' } },
]
const UP = 'tenant/acme/gateway/016c001ff10a2035/event/up'
const comes = (id: string, session = 1, user: string | null = id): string => `New client connected from 127.0.0.1:36770 as ${id} (p5, c${session}, k60${user === null ? '' : `, u'${user}'`}).`

function after(...lines: readonly string[]): boolean | null {
  const guests = new BrokerGuests()
  guests.take(lines.map((line) => `${line}\n`).join(''))
  return guests.hasListener('acme', UP, USERS)
}

describe('a tenant is there', () => {
  it.each([
    ['as himself', [comes('acme-server'), 'acme-server 1 tenant/acme/#']],
    ['with the time before each line', [`1795443695: ${comes('acme-server')}`, '1795443695: acme-server 0 #']],
    ['in a group', [comes('acme-server'), 'acme-server 1 $share/group/tenant/acme/gateway/+/event/+']],
    ['with the session of before', [comes('acme-server', 0), 'acme-server 1 tenant/acme/#', 'Client acme-server closed its connection.', comes('acme-server', 0)]],
    ['on a second connection, which ends the first', [comes('acme-server', 0), 'acme-server 1 tenant/acme/#', 'Client acme-server already connected, closing old connection.', comes('acme-server', 0)]],
    ['as a program on the box', [comes('chirpstack', 1, null), 'chirpstack 0 tenant/acme/#']],
  ])('%s', (_, lines) => expect(after(...lines)).toBe(true))
})

describe('a tenant is not there', () => {
  it.each([
    ['where he asked for something else', [comes('acme-server'), 'acme-server 1 tenant/acme/receipt']],
    ['where he was refused', [comes('acme-server'), 'acme-server 128 tenant/acme/#']],
    ['when he asked no more', [comes('acme-server'), 'acme-server 1 tenant/acme/#', 'acme-server tenant/acme/#']],
    ['when he went', [comes('acme-server'), 'acme-server 1 tenant/acme/#', 'Client acme-server disconnected.']],
    ['when he was silent', [comes('acme-server'), 'acme-server 1 tenant/acme/#', 'Client acme-server has exceeded timeout, disconnecting.']],
    ['when he came anew and asked for nothing', [comes('acme-server'), 'acme-server 1 tenant/acme/#', 'Client acme-server disconnected.', comes('acme-server')]],
    ['where another tenant asked', [comes('evil'), 'evil 1 #', 'evil 1 tenant/acme/#', 'evil 1 acme-server 1 tenant/acme/#']],
    ['where the owner asked', [comes('home'), 'home 1 #', 'home 1 tenant/acme/#']],
    ['where a program on the box looks at everything', [comes('watcher', 1, null), 'watcher 0 #', 'watcher 0 tenant/#']],
    ['because an id says so', [comes("x (p5, c1, k9, u'acme-server').", 1, null), comes('evil'), 'acme-server 1 tenant/acme/#']],
  ])('%s', (_, lines) => expect(after(...lines)).toBe(false))
})

it('nothing is said by a log that says nothing of connections, nor after the broker has ended', () => {
  const guests = new BrokerGuests()
  expect(after('Warning: Mosquitto should not be run as root/administrator.')).toBe(null)
  guests.take(`${comes('acme-server')}\nacme-server 1 tenant/acme/#\n`)
  guests.clear()
  expect(guests.hasListener('acme', UP, USERS)).toBe(null)
})

it('reads pieces of any length, and keeps little of whoever asks for much', () => {
  const guests = new BrokerGuests()
  for (const piece of `${comes('acme-server')}\nacme-server 1 tenant/acme/#\n`) guests.take(piece)
  expect(guests.hasListener('acme', UP, USERS)).toBe(true)
  guests.take('x'.repeat(1_000_000))
  guests.take(`\n${comes('evil')}\n${Array.from({ length: 100_000 }, (_, n) => `evil 0 tenant/${n}\n`).join('')}`)
  for (let n = 0; n < 2_000; n++) guests.take(`${comes(`local-${n}`, 1, null)}\nClient local-${n} disconnected.\n`)
  expect(guests.size).toBeLessThanOrEqual(512)
  expect(guests.hasListener('acme', UP, USERS)).toBe(true)
})
