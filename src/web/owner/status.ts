/** The state of the box, which several views show. */
import type { Level, StatusJson } from '../../owner/api.ts'
import { call } from './client.ts'
import { useLive, type Live } from './live.ts'

const STATUS_MS = 10_000

export function useStatus(): Live<StatusJson> {
  return useLive('status', () => call('status', {}), STATUS_MS)
}

/** Has it a chain to show? */
export function followsChain(status: StatusJson): boolean {
  return status.roles.includes('light') || status.roles.includes('sealer')
}

/** Does it listen to LoRa devices, or should it? */
export function hearsSensors(status: StatusJson): boolean {
  return status.iot
}

/** Does anybody but the owner have a part of what it earns? */
export function hasShares(status: StatusJson): boolean {
  return status.health.some((line) => line.part === 'payout')
}

/** The worst of all parts. */
export function levelOf(status: StatusJson): Level {
  const levels = status.health.map((line) => line.level)
  return levels.includes('bad') ? 'bad' : levels.includes('warn') ? 'warn' : 'ok'
}
