/** A refusal of the desk in the guest's words. */
import { MeshBoxError } from '../../base/index.ts'
import { type Language, type Texts, fill } from './languages/language.ts'
import { durationText } from './wording.ts'

/** The desk's error codes that the page has words for. */
const BY_CODE: Readonly<Record<string, keyof Texts>> = {
  'bad-code': 'badCode',
  'code-typo': 'codeTypo',
  'voucher-used': 'voucherUsed',
  'voucher-revoked': 'voucherRevoked',
  'voucher-expired': 'voucherExpired',
  'ticket-stale': 'ticketStale',
  'too-many-guesses': 'tooManyTries',
  'no-room': 'noRoom',
  'gate-failed': 'gateFailed',
  'trial-used': 'trialUsed',
  'no-session': 'noSession',
  'paused-by-owner': 'pausedOwner',
  'session-away': 'roamElsewhere',
  'page-old': 'pageOld',
  'code-missing': 'codeMissing',
  'key-unknown': 'walletNothing',
  'key-full': 'walletFull',
  'bad-signature': 'badRequest',
  'token-code': 'tokenCode',
  'not-tokens': 'notTokens',
  'no-streams': 'busy',
  'bad-order': 'badRequest',
  'purse-short': 'purseTooMuch',
  'order-old': 'pageOld',
  'order-running': 'purseRunning',
  'channel-closing': 'purseRunning',
  'photon-no-channel': 'payNone',
  'no-gas': 'busy',
}
const DEFAULT_WAIT_SECONDS = 60
/** Errors that the guest mends by changing what is in the field. */
const ABOUT_CODE = new Set(['bad-code', 'code-typo', 'code-missing', 'voucher-used', 'voucher-revoked', 'voucher-expired', 'ticket-stale', 'bad-input', 'token-code'])

export function refusalText(language: Language, error: MeshBoxError): string {
  const { text } = language
  const time = durationText(language, error.retryAfterSeconds ?? DEFAULT_WAIT_SECONDS)
  return fill(text[BY_CODE[error.code] ?? byKind(error)], { time })
}

export function isAboutCode(error: MeshBoxError): boolean {
  return ABOUT_CODE.has(error.code)
}

function byKind(error: MeshBoxError): keyof Texts {
  switch (error.kind) {
    case 'input':
      return 'badCode'
    case 'not-found':
      return 'noSession'
    case 'limit':
      return 'tooFast'
    case 'conflict':
    case 'forbidden':
    case 'unauthorized':
      return 'notNow'
    case 'unavailable':
      return 'busy'
    case 'internal':
      return 'failed'
  }
}
