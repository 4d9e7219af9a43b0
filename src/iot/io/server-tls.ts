/** TLS toward a tenant's server: who may vouch for it, and what the box shows. It is checked in every case. */
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { asError, inputError } from '../../base/index.ts'
import type { DestinationTls } from '../ports.ts'

/** Errors: input `ca` or `clientCertificate`, for what OpenSSL does not take: a key that is too short, a signature that is too weak. */
export function secureContextOf({ ca, certificate, key }: DestinationTls): SecureContext {
  try {
    return createSecureContext({
      // Whom the owner names he believes, also where that is an authority below another one.
      ...(ca === null ? {} : { ca, allowPartialTrustChain: true }),
      ...(certificate === null || key === null ? {} : { cert: certificate, key }),
    })
  } catch (thrown) {
    throw inputError(certificate === null ? 'ca' : 'clientCertificate', asError(thrown).message, 'certificates, and a key, that TLS takes')
  }
}
