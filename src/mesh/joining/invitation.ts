/**
 * What a new box is given to join: a *ticket*, which it may show to others, and *settings*, which only who has the code
 * may know (the password of the mesh is among them). From the settings comes a key that is used once: its address stands in
 * the ticket, so that the community's signature under the ticket holds for the settings too; and whoever shows the ticket
 * signs with that key which box it is for. A ticket that was seen on its way is therefore worth nothing to anybody else.
 *
 * | ticket, signed by the community | settings |
 * |---|---|
 * | 1, community, number, uses, last second (wall clock; 0: none), address of the key | nonce 16, name, hash of the chain's join file, mesh id, channel, password, prefix 8, contract, tokens, prices |
 */
import { ADDRESS_BYTES, bytesOf, concatBytes, hexOf, inputError, utf8 } from '../../base/index.ts'
import type { Address } from '../../base/index.ts'
import { openFrame, readDocument, sealFrame, writeDocument } from '../documents/index.ts'
import type { BoxId, Documents, Invitation } from '../ports.ts'

export const MAX_USES = 32
export const MAX_NAME_BYTES = 32
/** Of SAE. */
const MAX_SECRET_BYTES = 63
const MAX_TOKENS = 3
export const NONCE_BYTES = 16
/** 2.4 GHz, 5 GHz and 6 GHz channels have numbers up to here. */
export const MAX_CHANNEL = 233
export const MAX_NUMBER = 2 ** 40
const MAX_SECOND = 2 ** 40
const PREFIX_BYTES = 8
const MAX_SYMBOL_BYTES = 12
const MAX_DECIMALS = 36
const TICKET_FORM = 1
const KEY_LABEL = utf8('meshbox invitation key 1\0')

/** What things cost in the community, for the new box to begin with. Units of `token`. */
export interface CommunityPrices {
  readonly token: Address | null
  readonly perMiB: bigint
  readonly perMinute: bigint
}

/** Everything that is on a code. */
export interface CommunityCode extends Invitation {
  /** Rises with every invitation of the community. */
  readonly number: number
  /** 1..MAX_USES boxes. */
  readonly uses: number
  /** Seconds since 1970, for who has a clock that is believed; null: the community's own count alone. */
  readonly notAfterSeconds: number | null
  readonly prices: CommunityPrices
}

/** What the others are shown. */
export interface Ticket {
  readonly community: Address
  readonly number: number
  readonly uses: number
  readonly notAfterSeconds: number | null
  /** Of the key that signs which box it is for. */
  readonly key: Address
}

/** Keys that are no box's own. */
export interface InvitationKeys {
  keccak256(bytes: Uint8Array): Uint8Array
  /** Documents of the key with this secret, 32 bytes. */
  documentsOf(secret: Uint8Array): Documents
}

/** The code's halves. */
export interface InvitationParts {
  /** Sealed: payload and the community's signature. */
  readonly ticket: Uint8Array
  readonly settings: Uint8Array
}

/** Errors: input of the field that does not fit; `community` where `documents` are of somebody else. */
export function makeInvitation(documents: Documents, keys: InvitationKeys, code: Omit<CommunityCode, 'issuedBy'>): InvitationParts {
  if (documents.self !== code.community) throw inputError('community', code.community, `${documents.self}, whose key signs`)
  const settings = encodeSettings(code)
  decodeSettings(settings) // what could not be read is not given out
  const ticket: Ticket = { community: code.community, number: code.number, uses: code.uses, notAfterSeconds: code.notAfterSeconds, key: keyOf(keys, settings).self }
  const payload = encodeTicket(ticket)
  decodeTicket(payload)
  return { ticket: sealFrame(documents, 'invitation', payload), settings }
}

/** Errors: input; `ticket` where it is not the community's, `settings` where they are not the ticket's. */
export function readInvitation(documents: Pick<Documents, 'signer'>, keys: InvitationKeys, parts: InvitationParts): CommunityCode {
  const ticket = readTicket(documents, parts.ticket)
  const settings = decodeSettings(parts.settings)
  if (keyOf(keys, parts.settings).self !== ticket.key) throw inputError('settings', 'other settings', 'those that the community signed for')
  const { community, number, uses, notAfterSeconds } = ticket
  return { ...settings, community, number, uses, notAfterSeconds, issuedBy: community }
}

/** Errors: input; `ticket` where the signature is not the community's. */
export function readTicket(documents: Pick<Documents, 'signer'>, frame: Uint8Array): Ticket {
  const { payload, signature } = openFrame(frame)
  const ticket = decodeTicket(payload)
  if (documents.signer('invitation', payload, signature) !== ticket.community) throw inputError('ticket', 'another signature', `that of ${ticket.community}`)
  return ticket
}

/** The key of a code: it signs for which box the ticket is (`signClaim`). */
export function keyOf(keys: InvitationKeys, settings: Uint8Array): Documents {
  return keys.documentsOf(keys.keccak256(concatBytes(KEY_LABEL, settings)))
}

function encodeTicket({ community, number, uses, notAfterSeconds, key }: Ticket): Uint8Array {
  return writeDocument('ticket', [TICKET_FORM, community, number, uses, notAfterSeconds ?? 0, key])
}

function decodeTicket(payload: Uint8Array): Ticket {
  return readDocument('ticket', payload, (reader) => {
    reader.number('form', TICKET_FORM, TICKET_FORM)
    const community = reader.address('community')
    const number = reader.number('number', 1, MAX_NUMBER)
    const uses = reader.number('uses', 1, MAX_USES)
    const notAfter = reader.number('notAfter', 0, MAX_SECOND)
    return { community, number, uses, notAfterSeconds: notAfter === 0 ? null : notAfter, key: reader.address('key') }
  })
}

type Settings = Omit<CommunityCode, 'community' | 'number' | 'uses' | 'notAfterSeconds' | 'issuedBy'>

function encodeSettings(code: Settings): Uint8Array {
  const tokens = code.tokens.map(({ address, symbol, decimals }) => [address, { text: symbol }, decimals])
  const { token, perMiB, perMinute } = code.prices
  return writeDocument('settings', [
    code.nonce,
    { text: code.name },
    code.chainFileHash,
    { text: code.meshId },
    code.meshChannel,
    { text: code.meshSecret },
    prefixBytes(code.ulaPrefix),
    code.contract,
    tokens,
    token,
    perMiB,
    perMinute,
  ])
}

function decodeSettings(payload: Uint8Array): Settings {
  return readDocument('settings', payload, (reader) => {
    const nonce = reader.string('nonce', NONCE_BYTES).slice()
    const name = shown('name', reader.text('name', MAX_NAME_BYTES))
    const chainFileHash = reader.optional('chainFileHash', (each) => each.hash('chainFileHash'))
    const meshId = shown('meshId', reader.text('meshId', MAX_NAME_BYTES))
    const meshChannel = reader.number('meshChannel', 1, MAX_CHANNEL)
    const meshSecret = secretText(reader.text('meshSecret', MAX_SECRET_BYTES))
    const ulaPrefix = prefixText(reader.string('ulaPrefix', PREFIX_BYTES))
    const contract = reader.optional('contract', (each) => each.address('contract'))
    const tokens = reader.list('tokens', MAX_TOKENS, (each) => ({
      address: each.address('token'),
      symbol: symbolText(each.text('symbol', MAX_SYMBOL_BYTES)),
      decimals: each.number('decimals', 0, MAX_DECIMALS),
    }))
    const token = reader.optional('prices.token', (each) => each.address('prices.token'))
    const perMiB = reader.amount('prices.perMiB')
    const perMinute = reader.amount('prices.perMinute')
    return { nonce, name, chainFileHash, meshId, meshChannel, meshSecret, ulaPrefix, contract, tokens, prices: { token, perMiB, perMinute } }
  })
}

/** It goes into files of other programs. */
function secretText(text: string): string {
  if (text !== '' && !/^[\x21-\x7e]{8,63}$/.test(text)) throw inputError('meshSecret', `${text.length} characters`, '8 to 63 printable ASCII characters without blanks, or none')
  return text
}

function symbolText(text: string): string {
  if (!/^[A-Za-z0-9]{1,12}$/.test(text)) throw inputError('symbol', text, '1 to 12 letters and digits')
  return text
}

function shown(field: string, text: string): string {
  if (text === '' || text.trim() !== text || /[\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) throw inputError(field, text, 'a name without blanks at its ends')
  return text
}

/** `fd12:3456:789a:1::/64` as 8 bytes. Errors: input `ulaPrefix`. */
export function prefixBytes(text: string): Uint8Array {
  const groups = /^([0-9a-f]{1,4}):([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::([0-9a-f]{1,4}))?::\/64$/.exec(text)
  const bytes = new Uint8Array(PREFIX_BYTES)
  for (let index = 0; index < PREFIX_BYTES / 2; index++) {
    const value = Number.parseInt(groups?.[index + 1] ?? '0', 16)
    bytes[index * 2] = value >> 8
    bytes[index * 2 + 1] = value & 0xff
  }
  if (groups === null || bytes[0] !== 0xfd) throw inputError('ulaPrefix', text, 'fdxx:xxxx:xxxx:xxxx::/64')
  return bytes
}

function prefixText(bytes: Uint8Array): string {
  if (bytes[0] !== 0xfd) throw inputError('ulaPrefix', hexOf(bytes), 'an address space that begins with fd')
  const groups = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16))
  if (groups[3] === '0') groups.pop()
  return `${groups.join(':')}::/64`
}

/** The box's own address in the mesh: its prefix, and eight bytes of its name. */
export function meshAddressOf(ulaPrefix: string, box: BoxId): string {
  const bytes = concatBytes(prefixBytes(ulaPrefix), bytesOf(box).subarray(ADDRESS_BYTES - 8))
  return Array.from({ length: 8 }, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16)).join(':')
}
