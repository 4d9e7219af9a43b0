/** What a grant may hold: checked once, where it enters the gate, because it becomes text for the kernel. */
import { inputError } from '../../base/index.ts'
import { isIp4, readMac } from './address.ts'
import type { Grant } from './types.ts'

/** Longest timeout a grant may ask for; a lease is renewed long before. */
const MAX_LEASE_MS = 30 * 24 * 3600 * 1000
/** A terabyte more than any voucher: keeps sums of bytes far inside what a number holds exactly. */
const MAX_QUOTA_BYTES = 2 ** 50
/** 10 Gbit/s. */
const MAX_RATE_KBPS = 10_000_000
const MAX_SESSION_ID = 128

/** Throws MeshBoxError `input` naming the field. */
export function checkGrant(grant: Grant): void {
  if (grant.sessionId.length === 0 || grant.sessionId.length > MAX_SESSION_ID) throw inputError('grant.sessionId', grant.sessionId, `1 to ${MAX_SESSION_ID} characters`)
  if (readMac(grant.mac) !== grant.mac) throw inputError('grant.mac', grant.mac, 'a station\'s MAC address in lower case')
  if (grant.ip4 !== null && (!isIp4(grant.ip4) || grant.ip4 === '0.0.0.0')) throw inputError('grant.ip4', grant.ip4, 'an IPv4 address, or null')
  if (!(grant.leaseMs > 0 && grant.leaseMs <= MAX_LEASE_MS)) throw inputError('grant.leaseMs', grant.leaseMs, `more than 0, at most ${MAX_LEASE_MS}`)
  checkWhole('grant.quotaBytes', grant.quotaBytes, 0, MAX_QUOTA_BYTES)
  checkWhole('grant.usedBytes', grant.usedBytes ?? null, 0, MAX_QUOTA_BYTES)
  checkWhole('grant.downKbps', grant.downKbps, 8, MAX_RATE_KBPS)
  checkWhole('grant.upKbps', grant.upKbps, 8, MAX_RATE_KBPS)
}

function checkWhole(field: string, value: number | null, least: number, most: number): void {
  if (value === null) return
  if (!Number.isSafeInteger(value) || value < least || value > most) throw inputError(field, value, `a whole number from ${least} to ${most}, or null`)
}
