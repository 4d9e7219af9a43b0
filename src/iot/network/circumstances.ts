/**
 * What the code of a frame of 1.1 covers besides the frame: where the device sent it, and which downlink its ACK is for. LoRaWAN L2 1.1, 4.4. The
 * device knows; the network tries what can be. Pure.
 */
import type { Circumstances, DataFrame } from '../lorawan/index.ts'
import type { NetworkPlan } from './plan.ts'
import { wantedChannels } from './session.ts'
import type { NetworkSession } from './session.ts'

const ROUND = 0x1_0000
const NONE: readonly Circumstances[] = []

/** None in 1.0 (null). At most two: an ACK may be for the downlink that waits for one, or for one before that nobody waits for any more. */
export function circumstancesOf(plan: NetworkPlan, session: NetworkSession | null, frame: Pick<DataFrame, 'ack'>, up: { readonly frequencyHz: number; readonly dataRate: number }): readonly Circumstances[] {
  if (session === null) return NONE
  const { dataRate } = up
  const channel = channelIndexOf(plan, session, up.frequencyHz, dataRate)
  const counters = !frame.ack ? [0] : session.awaitingAck === null ? [session.confFCnt] : [session.awaitingAck.fCntDown, session.confFCnt]
  return [...new Set(counters.map((fCnt) => fCnt % ROUND))].map((confFCnt) => ({ confFCnt, dataRate, channel }))
}

/** An answer to NewChannelReq may come on the very channel it says yes to, so what the device was told counts too. */
function channelIndexOf(plan: NetworkPlan, session: NetworkSession, frequencyHz: number, dataRate: number): number {
  for (const channels of [session.channels, wantedChannels(plan)]) {
    const there = (index: number): boolean => channels[index]?.frequencyHz === frequencyHz
    const indexes = [...channels.keys()].filter(there)
    const fitting = indexes.find((index) => (channels[index]?.minDataRate ?? 0) <= dataRate && dataRate <= (channels[index]?.maxDataRate ?? 0))
    if (indexes[0] !== undefined) return fitting ?? indexes[0]
  }
  return 0
}
