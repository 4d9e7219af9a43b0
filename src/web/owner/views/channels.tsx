/** Payment channels in plain words: what lies where, what wants looking at, what moved, what was earned. */
import type { PhotonChannelJson, PhotonDutyJson, PhotonStatusJson, PhotonWatchJson } from '../../../owner/api.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Empty, Refused } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { shortAddress } from './chain-parts.tsx'
import { AlarmNotices } from './channel-alarms.tsx'
import { ChannelBar } from './channel-bar.tsx'
import { BoxCard, DutiesCard, EarnedCard, PaymentsCard, type PaymentsProps } from './channel-parts.tsx'
import * as S from './channel-strings.ts'
import { LevelDot } from './health-parts.tsx'

export interface ChannelsProps extends PaymentsProps {
  readonly status: PhotonStatusJson
  readonly channels: readonly PhotonChannelJson[]
  readonly head: number | null
  /** Null: these are all. */
  readonly onMoreChannels: (() => void) | null
  readonly duties: readonly PhotonDutyJson[]
  readonly watch: PhotonWatchJson | null
  /** Between two blocks; null: not known. */
  readonly blockSeconds: number | null
  /** Why what is shown is old, or an order was refused. */
  readonly problem: string | null
}

export function ChannelsPage(props: ChannelsProps) {
  const { status, channels, head, duties, watch, blockSeconds } = props
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead}>
        <div class="row">
          <LinkButton icon="channels" href={hrefOf('channels', 'pay')}>
            {S.pay}
          </LinkButton>
          <LinkButton kind="primary" icon="plus" href={hrefOf('channels', 'new')}>
            {S.open}
          </LinkButton>
        </div>
      </PageHead>
      <Refused text={props.problem} />
      <AlarmNotices alarms={status.alarms} />
      <Columns
        main={
          <>
            <section class="card" aria-labelledby="channel-state">
              <div class="line line-top chain-state">
                <LevelDot level={S.levels[status.state]} />
                <div class="line-text">
                  <h2 id="channel-state">{S.stateTitle[status.state]}</h2>
                  <p class="small quiet">{S.stateText[status.state]}</p>
                </div>
              </div>
              {channels.length === 0 && status.state === 'starting' ? null : channels.length === 0 ? (
                <Empty icon="channels" title={S.none} text={S.noneText} />
              ) : (
                <ul class="lines">
                  {channels.map((channel) => (
                    <ChannelLine key={channel.id} channel={channel} head={head} blockSeconds={blockSeconds} />
                  ))}
                </ul>
              )}
              {props.onMoreChannels && (
                <div class="card-foot">
                  <Button kind="quiet" onClick={props.onMoreChannels}>
                    {W.wordsMore}
                  </Button>
                </div>
              )}
            </section>
            <PaymentsCard payments={props.payments} onMore={props.onMore} onCallBack={props.onCallBack} />
          </>
        }
        side={
          <>
            <DutiesCard duties={duties} blockSeconds={blockSeconds} />
            <EarnedCard status={status} />
            <BoxCard status={status} watch={watch} />
          </>
        }
      />
    </div>
  )
}

function ChannelLine({ channel, head, blockSeconds }: { channel: PhotonChannelJson; head: number | null; blockSeconds: number | null }) {
  const { alarm, settleBlock } = channel
  return (
    <li class="channel line-link">
      <div class="row">
        <a class="cover" href={hrefOf('channels', channel.id)} title={channel.partner.address}>
          {S.withWhom} <span class="mono small">{shortAddress(channel.partner.address)}</span>
        </a>
        <PhasePill channel={channel} />
        <span class="tiny quiet push">
          {channel.isConnected ? S.connected : S.notConnected} · {S.roles[channel.role]}
        </span>
      </div>
      <ChannelBar channel={channel} />
      {settleBlock !== null && <p class="small quiet num">{S.paidOutAfter(settleBlock, head === null ? null : Math.max(0, settleBlock - head), blockSeconds)}</p>}
      {alarm !== null && (
        <div class="channel-alarm small">
          <LevelDot level={channel.phase === 'error' ? 'bad' : 'warn'} />
          <p>
            <span class="strong">{alarm}</span> {S.advice(channel.phase)}
          </p>
        </div>
      )}
      {alarm === null && channel.closeRefusal !== null && (
        <div class="channel-alarm small">
          <LevelDot level="warn" />
          <p>{S.closeRefused(channel.closeRefusal.reason)}</p>
        </div>
      )}
    </li>
  )
}

export function PhasePill({ channel }: { channel: PhotonChannelJson }) {
  const isOpen = channel.phase === 'opened' && channel.alarm === null
  return (
    <span class={`pill ${isOpen ? 'pill-good' : 'pill-warn'}`}>
      <span class={`dot${isOpen && channel.isConnected ? '' : ' dot-hollow'}`} aria-hidden="true" />
      {S.phases[channel.phase] ?? channel.phase}
    </span>
  )
}
