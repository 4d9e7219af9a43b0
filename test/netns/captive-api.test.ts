/**
 * RFC 8908 and 8910 as a phone meets them: option 114 in the real DHCP answer, the API over TLS with the name
 * in the certificate, all six keys; and withheld when there is nothing valid to announce.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { StatusJson, VoucherCreateReply } from '../../src/owner/index.ts'
import { PORTAL, PORTAL_HOST, boxConfig } from '../support/box-config.ts'
import { Town, isRoot, runProgram } from '../support/netns.ts'
import { Phone } from '../support/phone.ts'
import { boxFiles, dhcp, socketRequest, startBoxDnsmasq, startInternet, startService, type Service } from '../support/town-services.ts'

const API = `https://${PORTAL_HOST}:2443/captive-portal/api`

interface CaptiveJson {
  readonly captive: boolean
  readonly 'user-portal-url': string
  readonly 'venue-info-url'?: string
  readonly 'can-extend-session'?: boolean
  readonly 'seconds-remaining'?: number
  readonly 'bytes-remaining'?: number
}

describe.skipIf(!isRoot())('the captive portal API on the wire (needs root)', () => {
  let town: Town | undefined
  let service: Service | undefined
  let dir = ''
  afterEach(async () => {
    await service?.stop()
    await town?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  /** A certificate for the portal from a CA of the town's own. */
  const makeCertificate = async (folder: string, days: number): Promise<void> => {
    const openssl = async (...args: string[]): Promise<void> => expect((await runProgram('openssl', args)).code).toBe(0)
    const file = (name: string): string => join(folder, name)
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    await openssl('req', '-x509', ...key, '-keyout', file('ca.key'), '-out', file('ca.crt'), '-days', '3650', '-subj', '/CN=Town CA')
    await openssl('req', ...key, '-keyout', file('portal.key'), '-out', file('portal.csr'), '-subj', `/CN=${PORTAL_HOST}`)
    writeFileSync(file('san'), `subjectAltName=DNS:${PORTAL_HOST}\nbasicConstraints=CA:FALSE\n`)
    await openssl('x509', '-req', '-in', file('portal.csr'), '-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', String(days), '-extfile', file('san'), '-out', file('portal.crt'))
  }
  /** A town whose box has a certificate of so many days (null = none). */
  const start = async (days: number | null): Promise<{ phone: Phone; certificate: string; options: string }> => {
    dir = mkdtempSync(join(tmpdir(), 'meshbox-capport-'))
    const files = boxFiles(dir)
    if (days !== null) await makeCertificate(dir, days)
    const tls = days === null ? {} : { tls_certificate_file: join(dir, 'portal.crt'), tls_key_file: join(dir, 'portal.key') }
    writeFileSync(files.config, boxConfig(files, { main: { clock_trust: 'always' }, hotspot: { ...tls, venue_url: 'https://venue.example/' } }))
    town = await Town.create({ guests: 1, addresses: 'dynamic' })
    await startInternet(town, dir)
    service = await startService(town.box, files)
    await socketRequest(files.socket, 'POST', '/api/password', { password: 'town-test-owner' })
    await startBoxDnsmasq(town, files)
    const guest = town.guests[0]
    if (!guest) throw new Error('no guest')
    const { options } = await dhcp(guest, files)
    const certificate = join(dir, 'ca.crt')
    return { phone: new Phone(guest, days === null ? null : certificate), certificate, options }
  }
  const ask = async (phone: Phone, certificate: string): Promise<{ json: CaptiveJson; head: string }> => {
    const result = await phone.guest.ns.run('curl', ['-s', '-i', '--max-time', '5', '--cacert', certificate, '-H', 'Accept: application/captive+json', API])
    expect(result).toMatchObject({ code: 0 })
    const [head = '', body = ''] = result.stdout.split('\r\n\r\n')
    return { head: head.toLowerCase(), json: JSON.parse(body) as CaptiveJson }
  }

  it('announces the API by option 114 and answers it over TLS, captive and paid', async () => {
    const { phone, certificate, options } = await start(90)
    const hex = /^opt114=([0-9a-f]+)$/m.exec(options)?.[1] ?? ''
    expect(Buffer.from(hex, 'hex').toString()).toBe(API)

    const captive = await ask(phone, certificate)
    expect(captive.head).toContain('content-type: application/captive+json')
    expect(captive.head).toMatch(/cache-control: (private|no-store)/)
    expect(captive.json).toMatchObject({ captive: true, 'venue-info-url': 'https://venue.example/' })
    expect(captive.json['user-portal-url']).toMatch(new RegExp(`^https://${PORTAL_HOST}[:/]`))
    expect(captive.json).not.toHaveProperty('seconds-remaining')
    expect(captive.json).not.toHaveProperty('bytes-remaining')

    const made = await service?.cliJson<VoucherCreateReply>('voucher', 'create', 'long', '1', '--codes')
    expect((await phone.submit(PORTAL, '/redeem', { code: made?.vouchers[0]?.code ?? '' })).status).toBe(303)
    const paid = await ask(phone, certificate)
    expect(paid.json).toMatchObject({ captive: false, 'can-extend-session': true })
    expect(paid.json['seconds-remaining']).toBeGreaterThan(590)
    expect(paid.json['seconds-remaining']).toBeLessThanOrEqual(600)

    const more = await service?.cliJson<VoucherCreateReply>('voucher', 'create', 'data', '1', '--codes')
    await service?.cliJson('sessions', 'kick', JSON.parse((await service.cli('--json', 'sessions', 'list')).stdout).sessions[0].id as string)
    expect((await phone.submit(PORTAL, '/redeem', { code: more?.vouchers[0]?.code ?? '' })).status).toBe(303)
    const bytes = await ask(phone, certificate)
    expect(bytes.json['bytes-remaining']).toBeGreaterThan(1_900_000)
    expect(bytes.json['bytes-remaining']).toBeLessThanOrEqual(2_097_152)
    expect(bytes.json).not.toHaveProperty('seconds-remaining')
  })

  it('withholds option 114 without a certificate, and says why', async () => {
    const { options } = await start(null)
    expect(options).not.toContain('opt114=')
    expect((await service?.cliJson<StatusJson>('status'))?.option114).toMatchObject({ state: 'withheld' })
  })

  it('withholds option 114 when the certificate ends within a day', async () => {
    const { options } = await start(1)
    expect(options).not.toContain('opt114=')
    expect((await service?.cliJson<StatusJson>('status'))?.option114.reason).toContain('24 hours')
  })
})
