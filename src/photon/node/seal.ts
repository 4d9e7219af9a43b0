/** Signs all that a turn sends, together, and gives each message its final bytes. */
import { concatBytes } from '../../base/index.ts'
import type { Address, Hash } from '../../base/index.ts'
import { sealed } from '../channel/index.ts'
import type { Message, Wire } from '../ports.ts'
import { NO_SIGNATURE, SIGNATURE_BYTES, echoHash } from '../wire/index.ts'
import type { Digests, Keccak } from '../wire/index.ts'
import type { Draft, Outgoing } from './draft.ts'
import { POOL_FROM, contractDigestOf } from './gather.ts'
import type { AccountSigner } from './ports.ts'

export interface SealTools {
  readonly wire: Wire
  readonly digests: Digests
  readonly signer: AccountSigner
  readonly keccak256: Keccak
}

const DIGEST_BYTES = 32
const POOL_CHUNK = 32
const UNSIGNED = new Uint8Array(0)

/** A promise only where the pool was needed. Errors: input, for a message that does not fit the profile. */
export function seal(tools: SealTools, draft: Draft): void | Promise<void> {
  const { outgoing } = draft
  if (outgoing.length === 0) return
  const digests = new Uint8Array(outgoing.length * DIGEST_BYTES)
  outgoing.forEach((one, index) => {
    const message = withContractSignature(tools, one.message)
    one.prepared = tools.wire.prepare(message)
    one.message = message
    digests.set(one.prepared.digest, index * DIGEST_BYTES)
  })
  if (outgoing.length < POOL_FROM) return finish(draft, tools.signer.sign(digests))
  return signInPool(tools.signer, digests).then((signatures) => finish(draft, signatures))
}

async function signInPool(signer: AccountSigner, digests: Uint8Array): Promise<Uint8Array> {
  const jobs: Promise<Uint8Array>[] = []
  for (let at = 0; at < digests.length; at += POOL_CHUNK * DIGEST_BYTES) jobs.push(signer.signInPool(digests.subarray(at, at + POOL_CHUNK * DIGEST_BYTES)))
  return concatBytes(...(await Promise.all(jobs)))
}

function finish(draft: Draft, signatures: Uint8Array): void {
  const newest = new Map<Outgoing['live'], { readonly one: Outgoing; readonly signature: Uint8Array; readonly extra: Hash }>()
  draft.outgoing.forEach((one, index) => {
    const { prepared, live } = one
    if (prepared === null) return
    const signature = signatures.subarray(index * SIGNATURE_BYTES, (index + 1) * SIGNATURE_BYTES)
    one.packet = prepared.seal(signature)
    if (live === null) return
    // Of many proofs of one side only the newest is kept.
    if ('envelope' in one.message) newest.set(live, { one, signature, extra: prepared.extra })
    else draft.put(live, sealed(draft.state(live), one.message, prepared.extra, new Uint8Array(signature)))
  })
  for (const [live, { one, signature, extra }] of newest) if (live !== null) draft.put(live, sealed(draft.state(live), one.message, extra, new Uint8Array(signature)))
}

/** What the contract will look at inside the message: signed here, one by one; there are few of them. */
function withContractSignature(tools: SealTools, message: Message): Message {
  if (!('contractSignature' in message) || message.contractSignature.length > 0) return message
  // A refusal agrees to nothing. v1 has no form without a signature: its terms are of nothing then (channel/agree-*.ts).
  if ('code' in message && message.code !== 0 && tools.wire.domain.profile === 'v2') return { ...message, contractSignature: NO_SIGNATURE }
  const signed = contractDigestOf(tools.digests, message)
  return signed === null ? message : { ...message, contractSignature: tools.signer.sign(signed.digest) }
}

/** What an acknowledgement names: v2 the hash both ends have at hand, v1 the original's. */
export function echoOf(wire: Wire, keccak256: Keccak, extra: Hash, packet: Uint8Array, receiver: Address): Hash {
  return wire.domain.profile === 'v1' ? echoHash(keccak256, packet, receiver) : extra
}

export function ackPacket(wire: Wire, sender: Address, echo: Hash): Uint8Array {
  return wire.prepare({ kind: 'ack', sender, echo }).seal(UNSIGNED)
}

