/** Reads the certificate and key that the configuration names. */
import { readFileSync, statSync } from 'node:fs'
import { MeshBoxError, asError } from '../../../base/index.ts'
import type { HotspotConfig } from '../../../config/index.ts'
import type { TlsPair } from '../certificate.ts'

const MAX_FILE_BYTES = 256 * 1024

/**
 * null if neither is configured. Throws MeshBoxError `input` naming the option if only one is, or if a file
 * cannot be read; what is in the files is for `checkCertificate` to judge.
 */
export function readTlsFiles(config: Pick<HotspotConfig, 'tlsCertificateFile' | 'tlsKeyFile'>): TlsPair | null {
  const { tlsCertificateFile, tlsKeyFile } = config
  if (tlsCertificateFile === null && tlsKeyFile === null) return null
  return { certificatePem: readPem('tls_certificate_file', tlsCertificateFile), keyPem: readPem('tls_key_file', tlsKeyFile) }
}

function readPem(option: string, file: string | null): string {
  if (file === null) throw unreadable(option, null, 'is not set, but the other one of certificate and key is')
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(option, file, asError(error).message)
  }
}

function unreadable(option: string, file: string | null, why: string): MeshBoxError {
  return new MeshBoxError('input', `hotspot.${option}: ${why}`, { code: 'tls-file', field: option, value: file, allowed: 'a readable PEM file' })
}
