/** What of a destination nobody shall read from the flash: a password or token, and the key of a certificate, lie sealed beside the rest. Each verb runs inside somebody's turn. */
import { isDeepStrictEqual } from 'node:util'
import { MeshBoxError, fromUtf8, utf8 } from '../../../base/index.ts'
import type { ReadTx, Tx } from '../../../store/index.ts'
import type { Destination, KeySeal, TenantId } from '../../ports.ts'
import { markFreePages } from './free-pages.ts'

interface Apart {
  /** As it lies in the clear. */
  readonly open: Destination
  /** Null: there is no secret in it. */
  readonly sealed: Uint8Array | null
}

interface Secrets {
  /** Encoded, as in the URL. */
  readonly password?: string
  /** PEM. */
  readonly clientKey?: string
}

/** The URL of a checked destination may carry a password. */
function sealDestination(destination: Destination, seal: KeySeal): Apart {
  if (destination.kind !== 'station' && destination.kind !== 'chirpstack') return { open: destination, sealed: null }
  const { tls } = destination
  const url = new URL(destination.url)
  const { password } = url
  const clientKey = tls?.key ?? null
  if (password === '' && clientKey === null) return { open: destination, sealed: null }
  url.password = ''
  const secrets: Secrets = { ...(password === '' ? {} : { password }), ...(clientKey === null ? {} : { clientKey }) }
  const open: Destination = { ...destination, ...(password === '' ? {} : { url: url.href }), ...(tls === undefined ? {} : { tls: { ...tls, key: null } }) }
  return { open, sealed: seal.seal(utf8(JSON.stringify(secrets))) }
}

/** Errors: unavailable `key-sealed-elsewhere`. */
export function openDestination(open: Destination, sealed: Uint8Array | null, seal: KeySeal): Destination {
  if (sealed === null || (open.kind !== 'station' && open.kind !== 'chirpstack')) return open
  const { password, clientKey } = JSON.parse(fromUtf8(seal.open(sealed))) as Secrets
  const { tls } = open
  const url = new URL(open.url)
  if (password !== undefined) url.password = password // it is encoded, and stays as it is
  return { ...open, ...(password === undefined ? {} : { url: url.href }), ...(tls === undefined || clientKey === undefined ? {} : { tls: { ...tls, key: clientKey } }) }
}

/**
 * As it is written for a tenant. What another box sealed for that same place stays until it is given anew: there is nothing to put in its stead,
 * and the box that can open it may get the book back.
 */
export function apartFor(tx: ReadTx, id: TenantId, destination: Destination, seal: KeySeal): Apart {
  const apart = sealDestination(destination, seal)
  if (apart.sealed !== null) return apart
  const before = tx.get<{ destination: string; sealed: Uint8Array }>('SELECT destination, sealed FROM iot_tenant WHERE id = ? AND sealed IS NOT NULL', id)
  if (before === undefined || !isDeepStrictEqual(JSON.parse(before.destination), apart.open)) return apart
  const sealed = new Uint8Array(before.sealed)
  try {
    seal.open(sealed)
    return apart // taken away by the owner
  } catch (thrown) {
    if (!isSealedElsewhere(thrown)) throw thrown
    return { ...apart, sealed }
  }
}

/** Passwords that an older version of the box wrote in the clear. The number sealed. */
export function sealOldDestinations(tx: Tx, seal: KeySeal): number {
  let count = 0
  for (const { id, destination } of tx.all<{ id: TenantId; destination: string }>('SELECT id, destination FROM iot_tenant WHERE sealed IS NULL')) {
    const { open, sealed } = sealDestination(JSON.parse(destination) as Destination, seal)
    if (sealed !== null) count += tx.run('UPDATE iot_tenant SET destination = ?, sealed = ? WHERE id = ?', JSON.stringify(open), sealed, id)
  }
  if (count > 0) markFreePages(tx)
  return count
}

/** Of another box's book: he is there, and his server will refuse us until the owner gives it again. */
export function isSealedElsewhere(thrown: unknown): boolean {
  return thrown instanceof MeshBoxError && thrown.code === 'key-sealed-elsewhere'
}
