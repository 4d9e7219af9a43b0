/**
 * What every room may use: amounts, bytes, RLP, clock, log, errors, limits. Knows nothing of the domain and needs nothing of anybody. What comes
 * from outside is checked here once (`parseAmount`, `decodeRlp`, `bytesOf`) and throws a MeshBoxError that names the field. Nothing here
 * keeps a state of its own; sockets and the like are in io/, for doors.
 */
export { MeshBoxError, asError, httpStatus, inputError } from './errors.ts'
export type { ErrorDetail, ErrorKind, PublicError } from './errors.ts'
export { momentOf } from './clock.ts'
export type { Cancel, Clock, Moment, Randomness, Timers } from './clock.ts'
export { TimeTrust, TRUST_TOLERANCE_MS } from './time-trust.ts'
export { MAX_AMOUNT, formatAmount, mulDivCeil, mulDivFloor, parseAmount } from './amount.ts'
export {
  concatBytes,
  equalBytesConstantTime,
  fromBase64Url,
  fromHex,
  fromUtf8,
  toBase64Url,
  toHex,
  utf8,
} from './bytes.ts'
export { ADDRESS_BYTES, HASH_BYTES, ZERO_ADDRESS, ZERO_HASH, bytesOf, hexOf } from './hex.ts'
export type { Address, Hash, Hex } from './hex.ts'
export { createLog, silentLog } from './log.ts'
export type { Log, LogFields, LogLevel, LogOptions } from './log.ts'
export { Complaints } from './complaints.ts'
export { RateLimit } from './rate-limit.ts'
export type { BucketRule } from './rate-limit.ts'
export { MAX_INTEGER_BYTES, decodeRlp, encodeRlp, integerBytes, integerOf } from './rlp.ts'
export type { RlpItem, RlpLimits } from './rlp.ts'
