/**
 * The hash of the kernel's counters that a receipt carries: SHA-256 over
 *
 *   meshbox counters 1\n
 *   <session id>\n
 *   <mac> <up bytes> <down bytes> <up packets> <down packets>\n    one line a device, ordered by mac
 *
 * all ASCII, numbers decimal. The box keeps the list, so a dispute can be settled without the receipt
 * showing which devices the guest owns.
 */
import { createHash } from 'node:crypto'
import { inputError } from '../../base/index.ts'
import type { DeviceUse } from './types.ts'

/** 64 lower-case hex digits. Throws `input` for a malformed or repeated device or a number out of range. */
export function hashCounters(sessionId: string, devices: readonly DeviceUse[]): string {
  if (!/^[0-9a-f]{16}$/.test(sessionId)) throw inputError('sessionId', sessionId, '16 lower-case hex digits')
  const lines = devices.map(lineOf).sort()
  if (new Set(devices.map((device) => device.mac)).size !== devices.length)
    throw inputError('devices', devices.map((device) => device.mac), 'each device once')
  return createHash('sha256').update(['meshbox counters 1', sessionId, ...lines, ''].join('\n')).digest('hex')
}

function lineOf(device: DeviceUse): string {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(device.mac)) throw inputError('mac', device.mac, 'aa:bb:cc:dd:ee:ff')
  const numbers = [device.upBytes, device.downBytes, device.upPackets, device.downPackets]
  for (const number of numbers)
    if (!Number.isSafeInteger(number) || number < 0) throw inputError('counters', number, '0..2^53-1')
  return [device.mac, ...numbers].join(' ')
}
