/**
 * A gateway's name as Basics Station writes it: a number, `00-16-C0-01-FF-10-A2-35`, 16 hex digits, or "id6": four groups of 16 bits
 * like the end of an IPv6 address, leading zeros left out, one `::` for a run of zero groups (`0:ff:fe00:1`, `::1`, `1::`).
 */
import { inputError } from '../../../base/index.ts'
import type { Eui } from '../../ports.ts'

const ALLOWED = 'an EUI-64: a number, id6, or 16 hex digits with or without - between the bytes'
const GROUPS = 4
const MAX_EUI = 2n ** 64n - 1n

/** Errors: input `router`. */
export function routerIdOf(value: unknown, field = 'router'): Eui {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    const number = BigInt(value)
    // A 64-bit name may come as a signed number.
    if (number > MAX_EUI || number < -(2n ** 63n)) throw inputError(field, String(value), ALLOWED)
    return BigInt.asUintN(64, number).toString(16).padStart(16, '0')
  }
  if (typeof value !== 'string' || value.length > 32) throw inputError(field, value ?? null, ALLOWED)
  const text = value.toLowerCase()
  if (/^([0-9a-f]{2}-){7}[0-9a-f]{2}$/.test(text) || /^[0-9a-f]{16}$/.test(text)) return text.replaceAll('-', '')
  if (/^([0-9a-f]{2}:){7}[0-9a-f]{2}$/.test(text)) return text.replaceAll(':', '')
  const groups = groupsOf(text)
  if (groups === null) throw inputError(field, value, ALLOWED)
  return groups.map((group) => group.padStart(4, '0')).join('')
}

function groupsOf(text: string): readonly string[] | null {
  if (!/^[0-9a-f:]+$/.test(text)) return null
  const [head = '', tail, ...more] = text.split('::')
  const part = (side: string): string[] => (side === '' ? [] : side.split(':'))
  const [left, right] = [part(head), part(tail ?? '')]
  const missing = GROUPS - left.length - right.length
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 1)) return null
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right]
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group)) ? groups : null
}

/** The answer's form. */
export function id6Of(eui: Eui): string {
  const groups = [0, 4, 8, 12].map((at) => Number.parseInt(eui.slice(at, at + 4), 16).toString(16))
  // The longest run of at least two zero groups goes.
  const joined = groups.join(':')
  const run = ['0:0:0:0', '0:0:0', '0:0'].find((zeros) => new RegExp(`(^|:)${zeros}(:|$)`).test(joined))
  return run === undefined ? joined : joined.replace(new RegExp(`(^|:)${run}(:|$)`), '::')
}

/** `00-16-C0-01-FF-10-A2-35`, for fields of devices. */
export function dashedEui(eui: Eui): string {
  return (eui.toUpperCase().match(/../g) ?? []).join('-')
}
