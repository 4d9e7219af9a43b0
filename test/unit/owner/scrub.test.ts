import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createScrub, scrubJson } from '../../../src/owner/scrub.ts'
import { seededRandom } from '../../support/fakes.ts'

const SALT = new Uint8Array(16).fill(7)
const scrub = createScrub(SALT, ['Tr0ub4dor&3'])
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const codeText = (seed: number, length: number): string => {
  const random = seededRandom(seed)
  return Array.from({ length }, () => SYMBOLS[Math.floor(random.next() * 32)]).join('')
}

describe('scrub', () => {
  it.each([
    ['a voucher code', 'guest typed 7K3QH-M9XWT today', '7K3QH'],
    ['a voucher code in small letters', 'code was 7k3qh-m9xwt.', 'm9xwt'],
    ['a voucher code without dash', 'code 7K3QHM9XWT', '7K3QHM9XWT'],
    ['a voucher code without dash in small letters', 'code 7k3qhm9xwt', '7k3qhm9xwt'],
    ['a ticket', `GET /t/U${codeText(1, 36)}`, codeText(1, 36)],
    ['a QR voucher', `HTTP://MESHBOX.LAN/V/${codeText(2, 120)}`, codeText(2, 120)],
    ['a set-up code', 'enter the set-up code ABCD-2345', 'ABCD-2345'],
    ['a session cookie', 'cookie meshbox_owner=q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c', 'q1w2e3r4'],
    ['a private key in hex', `key ${'a1'.repeat(32)}`, 'a1a1a1'],
    ['a private key with 0x', `signed with 0x${'b2'.repeat(32)}`, 'b2b2b2'],
    ['a hash in base64', 'scrypt:16384:8:1:Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==', 'Zm9vYmFy'],
    ['a password by name', 'login password=hunter2 from=10.0.0.1', 'hunter2'],
    ['a password in JSON', '{"password": "hunter2", "n": 1}', 'hunter2'],
    ['a bearer', 'authorization: Bearer-abc', 'Bearer-abc'],
    ['an option of a configuration', "\toption mqtt_password 'hunter2'", 'hunter2'],
    ['a list of a configuration', '\tlist private_words word1', 'word1'],
    ['a known secret', 'somebody typed Tr0ub4dor&3', 'Tr0ub4dor'],
    ['recovery words', 'words legal winner thank year wave sausage worth useful legal winner thank yellow end', 'sausage'],
    ['a MAC address', 'device 02:AB:cd:ef:12:34 left', '02:AB:cd'],
    ['an IPv6 address', 'from fd00:77::2ab:cdff:feef:1234 port 1', '2ab:cdff'],
  ])('hides %s', (_what, text, secret) => {
    expect(text).toContain(secret)
    expect(scrub(text)).not.toContain(secret)
  })

  it.each([
    'info gate: rules put back repairs=3 devices=12',
    "\toption name 'Café Alegría'",
    "\toption price_per_minute '0.1'",
    "\toption address '192.168.1.1'",
    "config token 'token'",
    'could not read /usr/lib/meshbox/web/index.html: no such file',
    '2023-11-14T22:13:20.000Z info store: 12 turns in one commit',
    'dashboard at http://127.0.0.1:2090/ and http://[::1]:2090/',
    'session 00000000000000a2 ended time-used',
    'connection to 10.77.0.23 lost',
  ])('leaves alone: %s', (text) => {
    expect(scrub(text)).toBe(text)
  })

  it('gives one device the same short name everywhere in a bundle, and another one in the next', () => {
    const [a, b] = scrub('02:00:00:00:00:01 02-00-00-00-00-01').split(' ')
    expect(a).toBe(b)
    expect(a).toMatch(/^mac-[0-9a-f]{6}$/)
    expect(createScrub(new Uint8Array(16).fill(8))('02:00:00:00:00:01')).not.toBe(a)
  })

  it('hides every code, ticket and key, whatever stands around it', () => {
    const before = fc.constantFrom('', ' ', 'x=', '(', '"', ': ', '/v/', ', ')
    const after = fc.constantFrom('', ' ', ')', '"', '.', ', ', ';', '&x=1')
    const secret = fc.oneof(
      fc.integer().map((seed) => codeText(seed, 5) + '-' + codeText(seed ^ 99, 5)),
      fc.integer().map((seed) => `U${codeText(seed, 36)}`),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => Buffer.from(key).toString('hex')),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((key) => Buffer.from(key).toString('base64url')),
    )
    fc.assert(
      fc.property(before, secret, after, (head, text, tail) => {
        expect(scrub(`log ${head}${text}${tail} end`)).not.toContain(text)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps numbers and names of JSON fields', () => {
    expect(scrubJson({ bytes: 1234567890, list: [{ mac: '02:00:00:00:00:01', left: null, on: true }] }, scrub)).toEqual({
      bytes: 1234567890,
      list: [{ mac: scrub('02:00:00:00:00:01'), left: null, on: true }],
    })
  })
})
