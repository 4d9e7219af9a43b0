/**
 * What this box's CUPS has for a Station: the box itself as its network server. With TLS it gets the authority to believe, the last certificate of the
 * file, and its token; without TLS nothing secret goes out. Addresses of CUPS and software stay as they are: those are the gateway's owner's.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { utf8 } from '../../../base/index.ts'
import type { IotSettings } from '../../ports.ts'
import { credentialsOf } from '../cups/update-info.ts'
import type { CupsPlans } from './station-server.ts'

/** Nobody knows by which address the gateway reached them. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Errors of the plans: input `trust`; what the file system says: the certificate is read each time, since it is renewed. */
export function ownCups({ address, port, certificateFile, tokens }: NonNullable<IotSettings['station']>): CupsPlans {
  const host = isIPv6(address) ? `[${address}]` : address
  const tcUri = ANY_ADDRESS.has(address) ? null : `${certificateFile === null ? 'ws' : 'wss'}://${host}:${port}`
  return ({ gateway }) => {
    const authority = certificateFile === null ? undefined : readFileSync(certificateFile, 'utf8').match(CERTIFICATES)?.at(-1)
    const token = tokens[gateway]
    const tcCredentials = authority === undefined ? null : credentialsOf(new Uint8Array(new X509Certificate(authority).raw), null, utf8(token === undefined ? '' : `Authorization: ${token}\r\n`))
    return { cupsUri: null, tcUri, cupsCredentials: null, tcCredentials, software: null }
  }
}
