/** The channels page, alive: asked again while it is shown; dialogs over it by the address. */
import { useState } from 'preact/hooks'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { useLive } from '../live.ts'
import { closeTo } from '../router.ts'
import { followsChain, useStatus } from '../status.ts'
import { say } from '../ui/notice.tsx'
import { WaitingPage } from '../ui/page.tsx'
import { AlarmDialog, alarmRoute } from './channel-alarms.tsx'
import { ChannelDialog } from './channel-dialog.tsx'
import * as S from './channel-strings.ts'
import { ChannelsPage } from './channels.tsx'
import { CoinsDialog } from './coins-dialog.tsx'
import { OpenChannelDialog } from './open-channel.tsx'
import { PayDialog } from './pay-dialog.tsx'

const EVERY_MS = 4_000
const SLOW_MS = 15_000
const PAGE = 10
const CHANNELS = 50
const MOST_CHANNELS = 1000
const MOST = 200

export function ChannelsView({ id }: { id: string | null }) {
  const [limit, setLimit] = useState(PAGE)
  const [channelLimit, setChannelLimit] = useState(CHANNELS)
  const box = useStatus()
  const status = useLive('photon', () => call('photon', {}), EVERY_MS)
  const channels = useLive(`photon/channels/${channelLimit}`, () => call('photonChannels', { query: { limit: channelLimit } }), EVERY_MS)
  const payments = useLive(`photon/payments/${limit}`, () => call('photonPayments', { query: { limit } }), EVERY_MS)
  const duties = useLive('photon/duties', () => call('photonDuties', {}), SLOW_MS)
  const watch = useLive('photon/watch', () => call('photonWatching', {}), SLOW_MS)
  const listed = channels.data?.channels.find((one) => one.id === id)
  // One that is too far down in the list.
  const wanted = channels.data !== null && id?.startsWith('0x') && !listed ? id : null
  const single = useLive(`photon/channel/${wanted ?? ''}`, async () => (wanted === null ? null : call('photonChannel', { params: { id: wanted } })), SLOW_MS)
  const hasChain = box.data !== null && followsChain(box.data)
  const chain = useLive(hasChain ? 'chain' : 'no-chain', async () => (hasChain ? call('chain', {}) : null), SLOW_MS)
  const blockSeconds = chain.data?.network.blockSeconds ?? null
  const reload = (): void => void Promise.all([status, channels, single, payments, duties].map((one) => one.reload()))
  const callBack = useAction(async (payment: string) => {
    await call('cancelPayment', { params: { id: payment } })
    say(S.calledBack)
    await payments.reload()
  })
  const leave = (): void => closeTo('channels')
  const done = (): void => {
    leave()
    reload()
  }

  if (status.data === null || channels.data === null)
    return <WaitingPage title={S.title} live={status.data === null ? status : channels} />
  const alarm = status.data.alarms.find((one) => one.isClearable && id === alarmRoute(one))
  const chosen = listed ?? (id === single.data?.id ? single.data : undefined)
  return (
    <>
      <ChannelsPage
        status={status.data}
        channels={channels.data.channels}
        head={channels.data.head}
        onMoreChannels={channels.data.total > channels.data.channels.length && channelLimit < MOST_CHANNELS ? () => setChannelLimit(Math.min(MOST_CHANNELS, channelLimit * 4)) : null}
        payments={payments.data?.payments ?? []}
        onMore={payments.data !== null && payments.data.next !== null && limit < MOST ? () => setLimit(Math.min(MOST, limit * 2)) : null}
        onCallBack={(payment) => void callBack.run(payment)}
        duties={duties.data?.duties ?? []}
        watch={watch.data}
        blockSeconds={blockSeconds}
        problem={status.error ?? callBack.besides()}
      />
      {id === 'new' && <OpenChannelDialog tokens={status.data.tokens} onClose={leave} onDone={done} />}
      {id === 'pay' && <PayDialog tokens={status.data.tokens} onClose={leave} onDone={done} />}
      {id === 'coins' && status.data.wrapped !== null && <CoinsDialog status={status.data} onClose={leave} onDone={done} />}
      {alarm && <AlarmDialog alarm={alarm} onClose={leave} onDone={done} />}
      {chosen && <ChannelDialog channel={chosen} blockSeconds={blockSeconds} onClose={leave} onChanged={reload} />}
    </>
  )
}
