/**
 * The one error class that crosses room borders.
 *
 * `kind` decides what a door answers (an HTTP status, a CLI exit code); `field`, `value` and `allowed`
 * tell the person on the other side what to change. Values shown are cut short so that a hostile input
 * cannot fill a log.
 */
export type ErrorKind =
  | 'input' //        the caller sent something malformed or out of range
  | 'unauthorized' // the caller has not shown who it is
  | 'forbidden' //    known caller, not allowed
  | 'not-found'
  | 'conflict' //     right form, wrong moment (already used, wrong state)
  | 'limit' //        too many, too fast, too large
  | 'unavailable' //  a part we depend on is not ready; trying again later may help
  | 'internal' //     our own fault

export interface ErrorDetail {
  /** Stable machine-readable code, e.g. `voucher-used`. */
  readonly code: string
  readonly field?: string
  readonly value?: unknown
  readonly allowed?: string
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

export class MeshBoxError extends Error {
  override readonly name = 'MeshBoxError'
  readonly kind: ErrorKind
  readonly code: string
  readonly field: string | undefined
  readonly value: string | undefined
  readonly allowed: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ErrorKind, message: string, detail: ErrorDetail) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.kind = kind
    this.code = detail.code
    this.field = detail.field
    this.value = detail.value === undefined ? undefined : shorten(detail.value)
    this.allowed = detail.allowed
    this.retryAfterSeconds = detail.retryAfterSeconds
  }

  /** What may be shown to whoever caused it: no stack, no cause. */
  toPublic(): PublicError {
    return {
      error: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.value === undefined ? {} : { value: this.value }),
      ...(this.allowed === undefined ? {} : { allowed: this.allowed }),
      ...(this.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: this.retryAfterSeconds }),
    }
  }
}

export interface PublicError {
  readonly error: string
  readonly message: string
  readonly field?: string
  readonly value?: string
  readonly allowed?: string
  readonly retryAfterSeconds?: number
}

const STATUS: Record<ErrorKind, number> = {
  input: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  limit: 429,
  unavailable: 503,
  internal: 500,
}

export function httpStatus(kind: ErrorKind): number {
  return STATUS[kind]
}

/** Input rejected at a door: names the field, the value and what is allowed. */
export function inputError(field: string, value: unknown, allowed: string): MeshBoxError {
  return new MeshBoxError('input', `${field}: ${shorten(value)} is not allowed; allowed: ${allowed}`, {
    code: 'bad-input',
    field,
    value,
    allowed,
  })
}

/** Anything thrown, as an Error with a message. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(shorten(thrown))
}

function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : (safeJson(value) ?? plainText(value))
  const printable = text.slice(0, 400).replace(/[\p{Control}\p{Line_Separator}\p{Paragraph_Separator}\p{Bidi_Control}]/gu, '\ufffd')
  return printable.length <= 80 ? printable : `${printable.slice(0, 77)}...`
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))
  } catch {
    return undefined // a cyclic value, or one that refuses: plainText() is used instead
  }
}

function plainText(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value) : String(value)
}
