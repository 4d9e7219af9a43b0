/** What the channels page may have to show, made by the owner's verbs of scripted desks: nothing, much, trouble, sums beyond every double. */
import { PhotonVerbs } from '../../src/owner/photon.ts'
import type { ChannelsProps } from '../../src/web/owner/views/channels.tsx'
import { ALARMED, CHANNELS, PAYMENTS, STATUS, UNNAMED, scriptedPhoton } from './photon-views.ts'
import type { PhotonDesk } from '../../src/photon/index.ts'

export type ChannelsSample = Omit<ChannelsProps, 'onMore' | 'onMoreChannels' | 'onCallBack'>

const HUGE = 123_456_789_012_345_678_901_234_567n
const [open] = CHANNELS
if (open === undefined) throw new Error('no channel in the sample')

function sample(change: Partial<PhotonDesk>, blockSeconds: number | null): ChannelsSample {
  const verbs = new PhotonVerbs(scriptedPhoton(change))
  const { channels, head } = verbs.channels()
  return { status: verbs.status(), channels, head, payments: verbs.payments().payments, duties: verbs.duties().duties, watch: verbs.watching(), blockSeconds, problem: null }
}

const NONE: Partial<PhotonDesk> = { channels: () => [], payments: () => ({ rows: [], next: null }), duties: () => [], watching: () => ({ jobs: 0, guardians: [] }) }

export const CHANNEL_PAGES: Readonly<Record<string, ChannelsSample>> = {
  busy: sample({}, 14),
  none: sample({ ...NONE, status: () => ({ ...STATUS, gasWei: 0n, listening: [], earned: [], channels: 0 }) }, null),
  halted: sample({ status: () => ALARMED }, 14),
  offline: sample({ status: () => ({ ...STATUS, state: 'offline', gasWei: null, head: null }) }, null),
  huge: sample(
    {
      channels: () => [
        { ...open, own: { ...open.own, spendable: HUGE, locked: 1n }, partner: { ...open.partner, spendable: HUGE * 7n, deposit: HUGE * 8n } },
        { ...open, id: `0x${'01'.repeat(32)}`, token: UNNAMED, symbol: null, decimals: 0, own: { ...open.own, spendable: 0n, locked: 0n }, partner: { ...open.partner, spendable: 0n, locked: 0n } },
      ],
      payments: () => ({ rows: PAYMENTS.map((row) => ({ ...row, amount: HUGE, fee: HUGE / 3n, data: new TextEncoder().encode('wordwithoutanend'.repeat(12)) })), next: null }),
    },
    14,
  ),
}
