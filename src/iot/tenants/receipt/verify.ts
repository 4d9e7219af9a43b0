/**
 * Whether a payer may believe his bill: receipts, the units they are made of, and, if he kept them, the frames he got. Works on what he has,
 * without the box. Pure.
 *
 * What a box could try, and where it shows: other numbers than signed (`signature`), another box's receipt (`gateway`), two stories with
 * the same number (`fork`), sums that go back (`shrinks`), units left out, added, changed or in another order (`chain`), sums that are not those of
 * the units (`sums`), the same frame twice (`billed-twice`), a frame that never came (`not-received`), more units than the frame has
 * (`units`), a dearer unit than agreed (`price`).
 */
import { MeshBoxError, bytesOf, hexOf } from '../../../base/index.ts'
import type { Address } from '../../../base/index.ts'
import type { BillableUnit, FrameId, Receipt, TenantAccount } from '../../ports.ts'
import { newAccount, withUnit } from '../account.ts'
import type { Keccak } from './chain.ts'
import { receiptDigest } from './digest.ts'

/** The curve, as far as it is needed: identity's Signer fits. */
export interface ReceiptCurve {
  readonly keccak: Keccak
  /** 65-byte public key; null for what is no signature. */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | null
}

export interface Audit {
  readonly receipts: readonly Receipt[]
  /** Any run of numbers without a gap; it begins at 1 or right after one of the receipts. Empty: only signatures and order are judged. */
  readonly units: readonly Omit<BillableUnit, 'tenant' | 'at'>[]
  /** What the payer's server got; null: he did not keep it. */
  readonly frames: ReadonlySet<FrameId> | null
  /** Started 24 bytes of the frames that he kept as a whole. */
  readonly unitsOfFrames?: ReadonlyMap<FrameId, number>
  /** The most that a unit of a frame upward may cost, in smallest units; left out: not judged. */
  readonly pricePerUnit?: bigint | null
  /** Whom he meant; null: not given. */
  readonly gateway: Address | null
  readonly payer: Address | null
}

export type ProblemCode = 'signature' | 'gateway' | 'payer' | 'mixed' | 'fork' | 'shrinks' | 'chain' | 'sums' | 'gap' | 'billed-twice' | 'not-received' | 'units' | 'price'

export interface Problem {
  readonly code: ProblemCode
  readonly seq: bigint
  readonly text: string
}

export interface AuditResult {
  readonly isValid: boolean
  readonly problems: readonly Problem[]
  /** The one with the highest number among those that are sound; null: none. */
  readonly newest: Receipt | null
  /** Units whose link in the chain is covered by a signature. */
  readonly provenUnits: number
}

const MAX_PROBLEMS = 100

export function receiptSigner(receipt: Receipt, curve: ReceiptCurve): Address | null {
  try {
    const key = curve.recover(receiptDigest(receipt, curve.keccak), receipt.signature)
    return key === null || key.length !== 65 ? null : hexOf(curve.keccak(key.subarray(1)).subarray(12))
  } catch (thrown) {
    if (thrown instanceof MeshBoxError) return null // a field beyond its type: nobody signed that
    throw thrown
  }
}

export function auditReceipts(given: Audit, curve: ReceiptCurve): AuditResult {
  const problems: Problem[] = []
  const blame = (code: ProblemCode, seq: bigint, text: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, seq, text })
  }
  const sound = given.receipts.filter((receipt) => isSound(receipt, given, curve, blame)).sort((a, b) => (a.seq < b.seq ? -1 : a.seq > b.seq ? 1 : 0))
  for (const [index, receipt] of sound.entries()) if (index > 0) compare(sound[index - 1] ?? receipt, receipt, blame)
  const provenUnits = walk(given, sound, curve.keccak, blame)
  return { isValid: problems.length === 0, problems, newest: sound.at(-1) ?? null, provenUnits }
}

type Blame = (code: ProblemCode, seq: bigint, text: string) => void

function isSound(receipt: Receipt, given: Audit, curve: ReceiptCurve, blame: Blame): boolean {
  const signer = receiptSigner(receipt, curve)
  if (signer === null || signer !== receipt.gateway) {
    blame('signature', receipt.seq, signer === null ? 'no signature of anybody' : `signed by ${signer}, not by ${receipt.gateway}`)
    return false
  }
  if (given.gateway !== null && receipt.gateway !== given.gateway) {
    blame('gateway', receipt.seq, `signed by ${receipt.gateway}, another box`)
    return false
  }
  if (given.payer !== null && receipt.tenant !== given.payer) {
    blame('payer', receipt.seq, `for ${receipt.tenant}, somebody else`)
    return false
  }
  return true
}

/** Two sound receipts, the one with the lower or the same number first. */
function compare(before: Receipt, after: Receipt, blame: Blame): void {
  const { seq } = after
  if (before.gateway !== after.gateway || before.tenant !== after.tenant || before.token !== after.token || before.chainId !== after.chainId)
    return blame('mixed', seq, 'receipts of different boxes, payers or tokens: check each account by itself')
  const sums = (receipt: Receipt): readonly bigint[] => [receipt.cumUplinks, receipt.cumUnits, receipt.cumDownlinkMs, receipt.cumAmount]
  if (before.seq === seq) {
    if (before.chainHash !== after.chainHash || sums(before).some((sum, i) => sum !== sums(after)[i])) blame('fork', seq, `two different receipts have the number ${seq}`)
    return
  }
  if (sums(before).some((sum, i) => sum > (sums(after)[i] ?? 0n))) blame('shrinks', seq, `a sum is lower than in receipt ${before.seq}`)
  if (before.chainHash === after.chainHash) blame('chain', seq, `the chain of hashes did not move since receipt ${before.seq}`)
}

/** Makes the chain again. The number of units up to the newest receipt that fits. */
function walk(given: Audit, sound: readonly Receipt[], keccak: Keccak, blame: Blame): number {
  const first = given.units[0]
  if (first === undefined) return 0
  let account = accountBefore(first.seq, sound)
  if (account === null) {
    blame('gap', first.seq, `the units begin at ${first.seq}, and there is no receipt ${first.seq - 1n} to begin at`)
    return 0
  }
  const bySeq = new Map(sound.map((receipt) => [receipt.seq, receipt]))
  const seen = new Set<FrameId>()
  let proven = 0
  for (const [index, unit] of given.units.entries()) {
    if (unit.seq !== account.seq + 1n) {
      blame('gap', unit.seq, `unit ${unit.seq} follows unit ${account.seq}`)
      return proven
    }
    try {
      account = withUnit(account, unit, keccak)
    } catch (thrown) {
      if (!(thrown instanceof MeshBoxError)) throw thrown
      blame('chain', unit.seq, thrown.message)
      return proven
    }
    if (unit.kind !== 'downlink') {
      if (seen.has(unit.frame)) blame('billed-twice', unit.seq, `the frame ${unit.frame} was billed before`)
      seen.add(unit.frame)
      if (given.frames !== null && !given.frames.has(unit.frame)) blame('not-received', unit.seq, `the frame ${unit.frame} is not among those that came`)
    }
    judgeAmount(unit, given, blame)
    const receipt = bySeq.get(unit.seq)
    if (receipt === undefined) continue
    if (!fits(account, receipt, blame)) return proven
    proven = index + 1
  }
  return proven
}

/** The chain says only that the box did not change its mind: here, whether it was right at all. */
function judgeAmount(unit: Audit['units'][number], { unitsOfFrames, pricePerUnit }: Audit, blame: Blame): void {
  const counted = unit.kind === 'downlink' ? undefined : unitsOfFrames?.get(unit.frame)
  if (counted !== undefined && unit.units > counted) blame('units', unit.seq, `${unit.units} units for a frame of ${counted}`)
  if (unit.kind === 'uplink' && typeof pricePerUnit === 'bigint' && unit.amount > pricePerUnit * BigInt(unit.units)) blame('price', unit.seq, `${unit.amount} for ${unit.units} units, which is more than ${pricePerUnit} each`)
}

function accountBefore(seq: bigint, sound: readonly Receipt[]): TenantAccount | null {
  if (seq === 1n) return newAccount(0n)
  const receipt = sound.find((known) => known.seq === seq - 1n)
  return receipt === undefined ? null : { ...receipt, epoch: 0n, chainHash: bytesOf(receipt.chainHash) }
}

function fits(account: TenantAccount, receipt: Receipt, blame: Blame): boolean {
  const { seq } = receipt
  if (hexOf(account.chainHash) !== receipt.chainHash) {
    blame('chain', seq, 'the units do not make the signed hash: one was changed, left out, added, or has another place')
    return false
  }
  for (const sum of ['cumUplinks', 'cumUnits', 'cumDownlinkMs', 'cumAmount'] as const)
    if (account[sum] !== receipt[sum]) {
      blame('sums', seq, `${sum} is ${receipt[sum]}, the units make ${account[sum]}`)
      return false
    }
  return true
}
