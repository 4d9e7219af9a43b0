/** What the command line says of a tenant's certificates. */
import { describe, expect, it } from 'vitest'
import { iotStatusText, tenantText } from '../../../src/cli/commands/iot-text.ts'
import type { IotCertificateJson, IotTlsJson } from '../../../src/owner/api/index.ts'
import { ACME, STATUS } from '../../support/iot-pages.ts'

const FINE: IotCertificateJson = { subject: 'CN=fine', notAfterMs: Date.UTC(2049, 0, 1), isExpired: false, isExpiring: false }
const SOON: IotCertificateJson = { subject: 'CN=soon', notAfterMs: Date.UTC(2026, 11, 1), isExpired: false, isExpiring: true }
const OVER: IotCertificateJson = { subject: 'CN=over', notAfterMs: Date.UTC(2010, 0, 1), isExpired: true, isExpiring: false }
const shown = (tls: Partial<IotTlsJson>): string => tenantText({ ...ACME, tls: { ca: [], clientCertificate: null, isKeyLost: false, expiry: null, ...tls } })
const flat = (text: string): string => text.replace(/\s+/g, ' ')

describe('a certificate of a tenant', () => {
  it('whose time is over is warned of, with the command that gives a new one', () => {
    expect(flat(shown({ clientCertificate: OVER, expiry: 'expired' }))).toMatch(/^WARNING: a certificate has expired. Give a new one: meshbox tenant set acme --ca FILE, or --client-cert FILE --client-key FILE /)
    expect(shown({ clientCertificate: OVER })).toMatch(/^Client certificate +CN=over, EXPIRED 2010-01-01$/m)
  })

  it('whose last 14 days have begun is warned of', () => {
    expect(flat(shown({ clientCertificate: SOON, expiry: 'expiring' }))).toMatch(/^WARNING: a certificate expires within 14 days. Give a new one: meshbox tenant set acme --ca FILE/)
    expect(shown({ ca: [SOON] })).toMatch(/^Own CA +CN=soon, until 2026-12-01$/m)
  })

  it('that lasts is not warned of', () => {
    expect(shown({ ca: [FINE, OVER], clientCertificate: FINE })).not.toContain('WARNING')
    expect(shown({ clientCertificate: FINE, isKeyLost: true })).toMatch(/^WARNING: the key of the client certificate/)
  })

  it('is in the status of the room', () => {
    const text = (expired: readonly string[], expiring: readonly string[]): string => iotStatusText({ ...STATUS, tenants: { served: 1, known: 2, expired, expiring } })
    expect(text([], [])).not.toContain('certificates')
    expect(text(['acme'], ['hill'])).toMatch(/^Tenants +1 of 2 served\n +certificates EXPIRED: acme\n +certificates expire soon: hill$/m)
  })
})
