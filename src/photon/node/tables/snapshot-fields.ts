/** Names of fields that a snapshot writes as one byte: the place in this list. Only ever added to, at the end; at most 255. */
export const FIELDS: readonly string[] = [
  'domain', 'profile', 'chainId', 'contract', 'token', 'key', 'channel', 'epoch', 'settleTimeout', 'role',
  'openBlock', 'phase', 'own', 'partner', 'disposals', 'renounced', 'agreement', 'dispute', 'offlineFrom', 'sync',
  'note', 'address', 'deposit', 'withdrawn', 'claimed', 'nonce', 'transferred', 'locks', 'locked', 'locksroot',
  'proof', 'stream', 'withdrawal', 'extra', 'signature', 'kind', 'expiration', 'amount', 'secretHash', 'hash',
  'secret', 'registeredBlock', 'isDisposed', 'value', 'reserved', 'evidence', 'voucher', 'preimage', 'steps', 'cumulative',
  'tip', 'unit', 'total', 'validUntil', 'participantSignature', 'partnerSignature', 'lockHash', 'closedBy', 'closeBlock', 'settleBlock',
  'unlocked', 'asker', 'ownSignature', 'terms', 'participant', 'balance', 'withdraw', 'p1', 'balance1', 'p2',
  'balance2', 'id', 'isEnded', 'target', 'maxFee', 'maxParts', 'data', 'paymentId', 'status', 'isRevealAllowed',
  'isAsked', 'isRevealed', 'swapId', 'expirationLimit', 'parts', 'routes', 'isSearching', 'searches', 'attempts', 'startedBlock',
  'failure', 'code', 'reason', 'path', 'held', 'lock', 'hops', 'node', 'fee', 'incoming',
  'incomingPhase', 'outgoing', 'outgoingPhase', 'initiator', 'isFeePosted', 'isRegistering', 'isClosing', 'isComplete', 'outcome', 'side',
  'sendingAmount', 'receivingToken', 'receivingAmount', 'deadlineBlock', 'direction', 'block',
  'pay', 'freshRetries', 'postedNonce', 'isRestored', 'doubtfulUntil', 'orderedHash', 'payout', 'isCooperative',
]
