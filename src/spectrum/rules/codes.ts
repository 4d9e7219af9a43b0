/**
 * Why a block is refused. Where the original has a name for it, it is that name, letter by letter; the others
 * (marked ours) are checks that it does not make, or makes without a name.
 */
export type RefusalCode =
  // Headers, spec 2.5.
  | 'ErrFutureBlock' // the only one that time can heal
  | 'errInvalidNonce'
  | 'errMissingVanity'
  | 'errMissingSignature'
  | 'errInvalidMixDigest'
  | 'errInvalidUncleHash'
  | 'errInvalidDifficulty'
  | 'ErrInvalidTimestampSIP002'
  | 'ErrInvalidTimestamp'
  | 'ErrUnknownAncestor'
  | 'errInvalidGasLimit' // ours
  | 'errInvalidGasUsed' // ours
  | 'errInvalidSignature' // ours: nobody signed
  | 'errInvalidVrf' // ours
  | 'errUnauthorized'
  // Bodies, spec 2.6.
  | 'ErrTribeNotAllowEmptyTxList'
  | 'ErrTribeChiefTxMustAtPositionZero'
  | 'ErrTribeChiefTxSignerAndBlockSignerNotMatch'
  | 'verify_volunteer_fail'
  | 'ErrTribeMustContainChiefTx'
  | 'errUnclesNotAllowed' // ours
  | 'errUnprotectedTransaction' // ours
  | 'errInvalidTransactionsRoot' // ours
  // Execution.
  | 'errInvalidTransaction' // ours: nobody's signature, a wrong nonce, more than is owned or than the block's gas
  | 'errUnprovable' // ours: more steps or memory than this box runs; the block is neither right nor wrong
  | 'errInvalidStateRoot' // ours
  // Receipts, after execution.
  | 'errChiefTxFailed' // ours
  | 'errInvalidBloom' // ours
  | 'errInvalidReceiptsRoot' // ours

export interface Refusal {
  readonly ok: false
  readonly code: RefusalCode
  /** For a person: what was found and what would have been right. */
  readonly reason: string
}

export function refuse(code: RefusalCode, reason: string): Refusal {
  return { ok: false, code, reason }
}
