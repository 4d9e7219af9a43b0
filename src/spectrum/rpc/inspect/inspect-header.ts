/** One header, judged as far as what is at hand allows, and shown field by field. */
import type { Secp256k1 } from '../../../native/index.ts'
import { ZERO_ADDRESS, ZERO_HASH, hexOf } from '../../codec/fields.ts'
import type { Address, Hash, Hex } from '../../codec/fields.ts'
import { SEAL_BYTES, VRF_BYTES, hashHeader, recoverSealer, sealHash } from '../../codec/header.ts'
import type { Header } from '../../codec/header.ts'
import { isActive } from '../../network/network.ts'
import type { Network } from '../../network/network.ts'
import { PUBLIC_NETWORKS } from '../../network/networks.ts'
import { refuse } from '../../rules/codes.ts'
import type { Refusal } from '../../rules/codes.ts'
import { verifyHeader } from '../../rules/verify-header.ts'
import type { KnownHeader, VerifiedHeader } from '../../rules/verify-header.ts'
import { verifyVrf, vrfMessage } from '../../vrf.ts'

/** `unchecked`: its message needs the parent. `absent`: the extra has no room for one. */
export type VrfVerdict = 'valid' | 'invalid' | 'absent' | 'unchecked'

export interface HeaderInspection {
  readonly ok: boolean
  /** Name of the rule that is broken (spec 2.5, 2.6). */
  readonly error: string | null
  readonly reason: string | null
  readonly network: string
  readonly number: number
  readonly hash: Hash
  readonly sealHash: Hash | null
  readonly signer: Address | null
  readonly vrf: VrfVerdict
  readonly vrfIndex: Hex | null
  /** False: without the parent neither links nor times, gas bounds and the VRF are judged. Who may seal needs the round, and is not judged here. */
  readonly isParentKnown: boolean
  /** Of the public network whose first block this is. */
  readonly genesisOf: string | null
  readonly header: Readonly<Record<string, string | number>>
}

export interface JudgedHeader {
  readonly inspection: HeaderInspection
  /** Null: refused, or the genesis. */
  readonly verified: VerifiedHeader | null
}

export function inspectHeader(curve: Secp256k1, network: Network, header: Header, parent: Header | null): JudgedHeader {
  const hash = hashHeader(curve, header)
  const isGenesis = header.number === 0
  const sealer = isGenesis ? null : recoverSealer(curve, header)
  const judged = isGenesis ? null : parent === null ? verifyAlone(curve, network, header) : verifyHeader({ curve, network, nowSeconds: null }, { header: parent, hash: hashHeader(curve, parent) }, header, null)
  const refusal = judged !== null && !judged.ok ? judged : null
  const hasVrf = !isGenesis && header.extra.length >= VRF_BYTES + SEAL_BYTES
  const vrf = !hasVrf ? 'absent' : parent === null ? 'unchecked' : sealer !== null && verifyVrf(curve, sealer.publicKey, vrfMessage(parent), header.extra.subarray(0, VRF_BYTES)) ? 'valid' : 'invalid'
  return {
    inspection: {
      ok: refusal === null,
      error: refusal?.code ?? null,
      reason: refusal?.reason ?? null,
      network: network.name,
      number: header.number,
      hash,
      sealHash: isGenesis || header.extra.length < SEAL_BYTES ? null : sealHash(curve, header),
      signer: sealer?.address ?? null,
      vrf,
      vrfIndex: hasVrf ? hexOf(header.extra.subarray(0, 32)) : null,
      isParentKnown: parent !== null,
      genesisOf: isGenesis ? ([network, ...PUBLIC_NETWORKS].find((known) => known.genesisHash === hash)?.name ?? null) : null,
      header: shownHeader(header),
    },
    verified: judged?.ok === true ? judged : null,
  }
}

/**
 * The rules that need no parent. They are judged behind a stand-in that satisfies every rule between two
 * headers but the VRF, whose message it does not know.
 */
function verifyAlone(curve: Secp256k1, network: Network, header: Header): VerifiedHeader | Refusal {
  const standIn: KnownHeader = {
    hash: header.parentHash,
    header: { ...header, parentHash: ZERO_HASH, number: header.number - 1, timeSeconds: header.timeSeconds - network.periodSeconds, extra: new Uint8Array(VRF_BYTES) },
  }
  const judged = verifyHeader({ curve, network, nowSeconds: null }, standIn, header, null)
  if (judged.ok || judged.code !== 'errInvalidVrf') return judged
  const sealer = recoverSealer(curve, header)
  if (sealer === null) return refuse('errInvalidSignature', 'the signature is nobody’s')
  // The rule that comes behind the VRF's.
  if (isActive(network, 'sip100', header.number) && header.coinbase === ZERO_ADDRESS) return refuse('errUnauthorized', 'the coinbase is the zero address')
  return { ok: true, header, hash: hashHeader(curve, header), sealHash: sealer.sealHash, signer: sealer.address }
}

/** Numbers as numbers where JSON holds them exactly, else as decimal text. */
function shownHeader(header: Header): Readonly<Record<string, string | number>> {
  return {
    parentHash: header.parentHash,
    uncleHash: header.uncleHash,
    coinbase: header.coinbase,
    stateRoot: header.stateRoot,
    transactionsRoot: header.transactionsRoot,
    receiptsRoot: header.receiptsRoot,
    bloom: hexOf(header.bloom),
    difficulty: shownNumber(header.difficulty),
    number: header.number,
    gasLimit: shownNumber(header.gasLimit),
    gasUsed: shownNumber(header.gasUsed),
    time: header.timeSeconds,
    extra: hexOf(header.extra),
    mixDigest: header.mixDigest,
    nonce: header.nonce,
  }
}

export function shownNumber(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}
