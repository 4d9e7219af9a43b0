/** Where a tenant's frames go, as the owner writes and reads it: a password goes in and never comes out. */
import { describe, expect, it } from 'vitest'
import { destinationText, parseDestination, withCertificates, withKnownPassword } from '../../../src/owner/iot-terms.ts'

const PLACE = 'chirpstack mqtts://acme:p%40ss@broker.example:8883 eu868 protobuf'
const SHOWN = 'chirpstack mqtts://acme:***@broker.example:8883 eu868 protobuf'

describe('a destination', () => {
  it.each(['broker', 'gwmp [::1]:1700', 'station wss://lns.example:8887/', 'chirpstack mqtt://broker.example - json', 'chirpstack mqtts://acme@broker.example:8883 eu868 json'])('%s reads back as it was written', (text) => {
    expect(destinationText(parseDestination(text))).toBe(text)
  })

  it('is shown without its password, and keeps it when it is written so', () => {
    const known = parseDestination(PLACE)
    expect(destinationText(known)).toBe(SHOWN)
    expect(withKnownPassword(parseDestination(SHOWN), known)).toEqual(known)
    expect(withKnownPassword(parseDestination(SHOWN.replace('protobuf', 'json')), known)).toEqual({ ...known, encoding: 'json' })
    expect(withKnownPassword(parseDestination('broker'), known)).toEqual({ kind: 'broker' })
  })

  it.each([
    ['another host', SHOWN.replace('broker.example', 'evil.example')],
    ['another port', SHOWN.replace('8883', '8884')],
    ['another name', SHOWN.replace('acme', 'bcme')],
    ['without TLS', SHOWN.replace('mqtts', 'mqtt')],
  ])('at %s the password that is known is not given away', (_, text) => {
    expect(() => withKnownPassword(parseDestination(text), parseDestination(PLACE))).toThrow(expect.objectContaining({ kind: 'input', field: 'destination' }))
  })

  it('keeps the token of a server for Basics Station to itself, too', () => {
    const known = parseDestination('station wss://:t0ken@lns.example:8887/')
    expect(known).toEqual({ kind: 'station', url: 'wss://:t0ken@lns.example:8887/' })
    expect(destinationText(known)).toBe('station wss://:***@lns.example:8887/')
    expect(withKnownPassword(parseDestination('station wss://:***@lns.example:8887/'), known)).toEqual(known)
    for (const other of ['station wss://:***@evil.example:8887/', 'station ws://:***@lns.example:8887/', 'chirpstack wss://:***@lns.example:8887/ - json']) expect(() => withKnownPassword(parseDestination(other), known)).toThrow(/password/)
    expect(() => parseDestination('station')).toThrow(/destination/)
    expect(() => parseDestination('station wss://a b')).toThrow(/destination/)
  })

  it.each(['station wss://:s3c/ret@lns.example more than that', 'chirpstack mqtts://acme:s3c/ret@broker.example - xml'])('repeats no secret in a refusal, with a slash in it either: %s', (text) => {
    const refusal = (): unknown => {
      try {
        return parseDestination(text)
      } catch (thrown) {
        return thrown
      }
    }
    const said = refusal()
    expect(said).toMatchObject({ kind: 'input', field: 'destination' })
    expect(JSON.stringify(said) + String(said)).not.toMatch(/s3c|ret@/)
  })

  it('has no known password where there is none', () => {
    expect(() => withKnownPassword(parseDestination(SHOWN), null)).toThrow(/password/)
    expect(() => withKnownPassword(parseDestination(SHOWN), { kind: 'broker' })).toThrow(/password/)
  })

  it('keeps certificates at the same place for the same name, and at no other', () => {
    const tls = { ca: 'A', certificate: 'C', key: 'K' }
    const known = withCertificates(parseDestination('station wss://:t0ken@lns.example:8887/'), null, { ca: 'A', clientCertificate: 'C', clientKey: 'K' })
    expect(known).toEqual({ kind: 'station', url: 'wss://:t0ken@lns.example:8887/', tls })
    const at = (text: string, asked: Parameters<typeof withCertificates>[2] = {}): unknown => withCertificates(parseDestination(text), known, asked)
    for (const same of ['station wss://lns.example:8887', 'station wss://:other@lns.example:8887/']) expect(at(same)).toMatchObject({ tls })
    for (const other of ['station wss://evil.example:8887', 'station wss://lns.example:8888', 'station ws://lns.example:8887', 'station wss://me@lns.example:8887', 'chirpstack wss://lns.example:8887', 'broker']) expect(at(other)).not.toHaveProperty('tls')
    const same = 'station wss://lns.example:8887'
    expect(at(same, { ca: null })).toMatchObject({ tls: { ...tls, ca: null } })
    expect(at(same, { clientCertificate: null })).toMatchObject({ tls: { ca: 'A', certificate: null, key: null } })
    expect(at(same, { clientCertificate: 'D' }), 'a new one for the same key').toMatchObject({ tls: { ...tls, certificate: 'D' } })
    expect(at(same, { ca: null, clientCertificate: null, clientKey: null })).not.toHaveProperty('tls')
    expect(at('broker', { ca: null })).toEqual({ kind: 'broker' })
    expect(() => at('broker', { ca: 'A' })).toThrow(expect.objectContaining({ kind: 'input', field: 'destination' }))
  })

  it('that is wrong is told without its password', () => {
    expect(() => parseDestination(`${PLACE} more`)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('p%40ss') }))
  })
})
