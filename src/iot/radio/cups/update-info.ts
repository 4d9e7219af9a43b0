/**
 * CUPS, by which a Station asks for other servers, credentials and software: `POST /update-info`. Pure. The answer, lengths little-endian,
 * zero for what stays as it is (Lora Basics Station, CUPS protocol; the order of the parts as its parser takes them):
 *
 *   u8 n | cupsUri    u8 n | tcUri    u16 n | cups credentials    u16 n | tc credentials
 *   u32 n | CRC-32 of the signing key 4, ECDSA signature (DER) over SHA-512 of the update    u32 n | update
 *
 * Credentials are trust, certificate and key in a row: the first two in DER (ASN.1 sequences with a length of two bytes, which is how
 * Station finds their ends), four zero bytes for no certificate; the key in DER, or the header line of a token. Their CRC-32 is over just that.
 */
import { crc32 } from 'node:zlib'
import { concatBytes, inputError, utf8 } from '../../../base/index.ts'
import type { Eui } from '../../ports.ts'
import { readFields } from '../station/exact-json.ts'
import { routerIdOf } from '../station/router-id.ts'

const MAX_URI_BYTES = 255
const MAX_CREDENTIAL_BYTES = 0xffff
/** Station keeps at most so much of a signature. */
const [LEAST_SIGNATURE_BYTES, MOST_SIGNATURE_BYTES] = [4, 128]
/** What a small box can hold and send; Station's own limit is 2 GiB. */
const MAX_UPDATE_BYTES = 16 * 1024 * 1024
const MAX_KEYS = 16
const U32 = 0xffff_ffff

export interface UpdateRequest {
  readonly gateway: Eui
  readonly cupsUri: string
  readonly tcUri: string
  readonly cupsCredCrc: number
  readonly tcCredCrc: number
  readonly station: string
  readonly model: string
  readonly package: string
  /** CRC-32 of the keys whose signatures it would believe. */
  readonly keys: readonly number[]
}

/** Errors: input, naming the field. */
export function readUpdateRequest(text: string): UpdateRequest {
  const fields = readFields(text)
  const word = (name: string): string => {
    const value = fields[name]
    if (value === undefined || value === null) return ''
    if (typeof value !== 'string' || value.length > MAX_URI_BYTES) throw inputError(name, value, `a text of at most ${MAX_URI_BYTES} letters`)
    return value
  }
  const crc = (value: unknown, name: string): number => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > U32) throw inputError(name, value, 'a CRC-32')
    return value
  }
  const keys = fields['keys'] ?? []
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw inputError('keys', keys, `a list of at most ${MAX_KEYS} CRC-32`)
  return {
    gateway: routerIdOf(fields['router']),
    cupsUri: word('cupsUri'),
    tcUri: word('tcUri'),
    cupsCredCrc: crc(fields['cupsCredCrc'] ?? 0, 'cupsCredCrc'),
    tcCredCrc: crc(fields['tcCredCrc'] ?? 0, 'tcCredCrc'),
    station: word('station'),
    model: word('model'),
    package: word('package'),
    keys: keys.map((key: unknown) => crc(key, 'keys')),
  }
}

/** What a gateway should have; null: as it is. */
export interface UpdatePlan {
  readonly cupsUri: string | null
  readonly tcUri: string | null
  readonly cupsCredentials: Uint8Array | null
  readonly tcCredentials: Uint8Array | null
  readonly software: Software | null
}

export interface Software {
  /** What `package` says when it is installed, and models it is for. */
  readonly package: string
  readonly models: readonly string[]
  readonly bytes: Uint8Array
  readonly signatures: readonly { readonly keyCrc: number; readonly signature: Uint8Array }[]
}

/**
 * The answer for one gateway: only what differs from what it has. Software goes only to a model it is made for, and only with a signature by a
 * key the gateway believes: one that believes none would run anything, and gets nothing. Errors: input for a plan that cannot be.
 */
export function answerUpdate(request: UpdateRequest, plan: UpdatePlan): Uint8Array {
  const uri = (wanted: string | null, has: string, field: string): Uint8Array => {
    const bytes = wanted === null || wanted === has ? new Uint8Array() : utf8(wanted)
    if (bytes.length > MAX_URI_BYTES) throw inputError(field, wanted, `at most ${MAX_URI_BYTES} bytes`)
    return bytes
  }
  const credentials = (wanted: Uint8Array | null, hasCrc: number, field: string): Uint8Array => {
    if (wanted === null || crc32(wanted) === hasCrc) return new Uint8Array()
    if (wanted.length > MAX_CREDENTIAL_BYTES) throw inputError(field, `${wanted.length} bytes`, `at most ${MAX_CREDENTIAL_BYTES} bytes`)
    return wanted
  }
  const software = softwareFor(request, plan.software)
  return concatBytes(
    counted(uri(plan.cupsUri, request.cupsUri, 'cups-uri'), 1),
    counted(uri(plan.tcUri, request.tcUri, 'tc-uri'), 1),
    counted(credentials(plan.cupsCredentials, request.cupsCredCrc, 'cups-credentials'), 2),
    counted(credentials(plan.tcCredentials, request.tcCredCrc, 'tc-credentials'), 2),
    counted(software?.signature ?? new Uint8Array(), 4),
    counted(software?.bytes ?? new Uint8Array(), 4),
  )
}

function softwareFor({ package: has, model, keys }: UpdateRequest, software: Software | null): { readonly signature: Uint8Array; readonly bytes: Uint8Array } | null {
  if (software === null || software.package === has || !software.models.includes(model)) return null
  const { bytes } = software
  if (bytes.length === 0 || bytes.length > MAX_UPDATE_BYTES) throw inputError('update', `${bytes.length} bytes`, `1 to ${MAX_UPDATE_BYTES} bytes`)
  const found = software.signatures.find(({ keyCrc, signature }) => keys.includes(keyCrc) && signature.length >= LEAST_SIGNATURE_BYTES && signature.length <= MOST_SIGNATURE_BYTES)
  return found === undefined ? null : { signature: concatBytes(little(found.keyCrc, 4), found.signature), bytes }
}

/** `certificate` null: none. `key`: PKCS #8 in DER, or `Authorization: …` with its end of line. Errors: input `trust`, `certificate`. */
export function credentialsOf(trust: Uint8Array, certificate: Uint8Array | null, key: Uint8Array): Uint8Array {
  return concatBytes(sequence(trust, 'trust'), certificate === null ? new Uint8Array(4) : sequence(certificate, 'certificate'), key)
}

/** As Station reads it: 30 82 and two bytes of length, whatever DER would also allow. */
function sequence(bytes: Uint8Array, field: string): Uint8Array {
  const [tag, form, high = 0, low = 0] = bytes
  if (tag !== 0x30 || form !== 0x82 || high * 256 + low + 4 !== bytes.length) throw inputError(field, `${bytes.length} bytes`, 'a certificate in DER, 256 bytes or longer')
  return bytes
}

function counted(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  return concatBytes(little(bytes.length, lengthBytes), bytes)
}

function little(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256)
}
