/** TX_ACK: what became of a PULL_RESP. No JSON, or error NONE, is a yes. Also `warn` of sx1302: sent, with less power. */
import { utf8 } from '../../../base/index.ts'
import type { TxStatus } from '../../ports.ts'
import { jsonOf, numberOf, objectOf } from './json.ts'

/** The forwarder's words that are also ours. */
const SAME: ReadonlySet<string> = new Set<TxStatus>(['TOO_LATE', 'TOO_EARLY', 'COLLISION_PACKET', 'COLLISION_BEACON', 'TX_FREQ', 'TX_POWER', 'GPS_UNLOCKED', 'QUEUE_FULL', 'DUTY_CYCLE_OVERFLOW'])

export interface TxAckBody {
  readonly status: TxStatus
  /** The word as it came, when we have none for it; at most 64 letters. */
  readonly unknown: string | null
  /** dBm it was sent with instead. */
  readonly sentWithDbm: number | null
}

/** Errors: input `json`. */
export function readTxAck(body: Uint8Array): TxAckBody {
  if (body.length === 0) return { status: 'OK', unknown: null, sentWithDbm: null }
  const ack = objectOf(jsonOf(body)['txpk_ack']) ?? {}
  const sentWithDbm = ack['warn'] === 'TX_POWER' ? numberOf(ack['value'], -50, 50) : null
  const error = ack['error'] ?? 'NONE'
  if (error === 'NONE' || error === '') return { status: 'OK', unknown: null, sentWithDbm }
  if (typeof error === 'string' && SAME.has(error)) return { status: error as TxStatus, unknown: null, sentWithDbm }
  return { status: 'INTERNAL_ERROR', unknown: typeof error === 'string' ? error.slice(0, 64) : typeof error, sentWithDbm }
}

/** For a server northbound. Words that GWMP does not know go as the nearest it does. */
export function writeTxAck(status: TxStatus): Uint8Array {
  const error = status === 'OK' ? 'NONE' : SAME.has(status) && status !== 'QUEUE_FULL' && status !== 'DUTY_CYCLE_OVERFLOW' ? status : 'TOO_LATE'
  return utf8(JSON.stringify({ txpk_ack: { error } }))
}
