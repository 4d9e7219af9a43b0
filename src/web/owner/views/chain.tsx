/** The chain of the box in plain words: where it stands, whose turn it is, what it earned, and whom it asks. */
import { useState } from 'preact/hooks'
import type { ChainBlockJson, ChainBranchesJson, ChainPageView, ChainSlotJson } from '../../../owner/api.ts'
import { showDateTime, showDuration } from '../format.ts'
import { Button } from '../ui/button.tsx'
import { Hidden, Notice } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { BranchesCard } from './chain-branches.tsx'
import { MoneyCard } from './chain-money.tsx'
import type { MoneyProps } from './chain-money.tsx'
import { RingLegend, RoundRing } from './chain-ring.tsx'
import { SealerCard, SourcesCard, shortAddress } from './chain-parts.tsx'
import * as S from './chain-strings.ts'
import { LevelDot } from './health-parts.tsx'

const JUST_NOW_SECONDS = 2
const LEVELS = { live: 'ok', alone: 'ok', syncing: 'warn', offline: 'warn' } as const

interface ChainProps {
  readonly view: ChainPageView
  /** The owner has looked at the alarm. */
  readonly onLooked: () => void
  readonly looking: boolean
  /** Why that did not work. */
  readonly refused: string | null
  readonly money: MoneyProps
  /** Null while there is nothing to choose. */
  readonly branches: ChainBranchesJson | null
}

export function ChainPage({ view, onLooked, looking, refused, money, branches }: ChainProps) {
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead(view.network.name, view.network.isCommunity)} />
      {view.alarm && (
        <Notice level="bad">
          <div class="chain-alarm">
            <h2>{S.alarmTitle[view.alarm.code]}</h2>
            <p>{S.alarmText}</p>
            <p class="small">
              {S.alarmSince(showDateTime(view.alarm.atWallMs))}: {view.alarm.reason}
            </p>
            <Button kind="danger-plain" icon="check" busy={looking} onClick={onLooked}>
              {S.alarmLooked}
            </Button>
            {refused !== null && <p class="small">{refused}</p>}
          </div>
        </Notice>
      )}
      <Columns
        isEven
        main={
          <>
            {branches !== null && <BranchesCard branches={branches} />}
            <StandingCard view={view} />
            <RoundCard view={view} />
          </>
        }
        side={
          <>
            <SealerCard sealer={view.sealer} />
            <MoneyCard {...money} />
            <SourcesCard view={view} />
          </>
        }
      />
    </div>
  )
}

function StandingCard({ view }: { view: ChainPageView }) {
  const { state, head, safe, final, highestNumber, pool, network } = view
  const isHalted = view.alarm !== null
  const left = state === 'syncing' && highestNumber !== null ? highestNumber - head.number : 0
  return (
    <section class="card" aria-labelledby="chain-standing">
      <div class="line line-top chain-state">
        <LevelDot level={isHalted ? 'bad' : LEVELS[state]} />
        <div class="line-text">
          <h2 id="chain-standing">{isHalted ? S.haltedTitle : S.stateTitle[state]}</h2>
          <p class="small quiet">
            {isHalted ? S.haltedText : S.stateText[state]} {left > 0 && S.behind(left)}
          </p>
        </div>
      </div>
      {left > 0 && (
        <div class="chain-progress" aria-hidden="true">
          <i style={{ width: `${(head.number / Math.max(1, highestNumber ?? 1)) * 100}%` }} />
        </div>
      )}
      <div class="card-pad chain-facts">
        <dl class="facts small">
          <Fact name={S.head} block={head} more={ageText(view.headAgeSeconds)} />
          <Fact name={S.safe} block={safe} more={S.safeHint} />
          <Fact name={S.final} block={final} more={S.finalHint} />
          <div>
            <dt>{S.waiting}</dt>
            <dd class="num">{S.waitingOf(pool.transactions)}</dd>
          </div>
          <div>
            <dt>{S.genesis}</dt>
            <dd class="mono" title={network.genesisHash}>
              {shortHash(network.genesisHash)}
            </dd>
          </div>
        </dl>
      </div>
    </section>
  )
}

function Fact({ name, block, more }: { name: string; block: ChainBlockJson | null; more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {block === null ? (
          <span class="quiet">{S.notYet}</span>
        ) : (
          <>
            <span class="num strong">{S.block(block.number)}</span>{' '}
            <span class="mono quiet tiny" title={block.hash}>
              {shortHash(block.hash)}
            </span>
          </>
        )}
        <span class="quiet block tiny">{more}</span>
      </dd>
    </div>
  )
}

function RoundCard({ view }: { view: ChainPageView }) {
  const { round, network, equivocations } = view
  const [shown, setShown] = useState(false)
  const { slots } = round
  const next = slots.find((slot) => slot.state === 'next')
  const summary = S.roundSummary(
    slots.filter((slot) => slot.state === 'sealed' || slot.state === 'stood-in').length,
    slots.filter((slot) => slot.state === 'missed').length,
    slots.filter((slot) => slot.isOwn).length,
    next?.number ?? view.head.number + 1,
  )
  return (
    <section class="card" aria-labelledby="chain-round">
      <div class="card-head">
        <div>
          <h2 id="chain-round">{S.round}</h2>
          <p>{S.roundText(slots.length, network.blockSeconds)}</p>
        </div>
      </div>
      <div class="ring-frame">
        <RoundRing round={round} summary={summary} />
        <div class="ring-side small">
          <p>{summary}</p>
          <RingLegend slots={slots} />
          {round.nextLimit > 0 && (
            <p class="quiet">
              {S.nextRound(round.next.length, round.nextLimit)}
              {round.next.some((one) => one.isOwn) && <span class="good-text">, {S.nextRoundOwn}</span>}
            </p>
          )}
          <p class="quiet">{S.epoch(round.epochEndsInBlocks)}</p>
        </div>
      </div>
      {equivocations.length > 0 && (
        <ul class="lines">
          {equivocations.map((one) => (
            <li key={`${one.number} ${one.signer}`} class="line line-top">
              <LevelDot level="warn" />
              <span class="line-text small">{S.twice(shortAddress(one.signer), one.number)}</span>
            </li>
          ))}
        </ul>
      )}
      <div class="card-foot">
        <Button kind="quiet" small icon={shown ? 'up' : 'down'} expanded={shown} onClick={() => setShown(!shown)}>
          {S.allTurns}
        </Button>
      </div>
      {shown && (
        <ol class="lines slot-list">
          {slots.map((slot) => (
            <SlotLine key={slot.place} slot={slot} />
          ))}
        </ol>
      )}
    </section>
  )
}

function SlotLine({ slot }: { slot: ChainSlotJson }) {
  return (
    <li class="slot-line small">
      <i class={`slot-swatch slot-swatch-${slot.state}`} aria-hidden="true" />
      <span class="num slot-block">{S.block(slot.number)}</span>
      <span class="slot-who">
        {slot.signer === null ? <span class="quiet">{S.nobody}</span> : slot.isOwn ? <span class="strong">{S.ownBox}</span> : <span class="mono tiny" title={slot.signer}>{shortAddress(slot.signer)}</span>}
        {slot.isLeader && <span class="quiet tiny"> · {S.leader}</span>}
      </span>
      <span class={slot.state === 'missed' ? 'warn-text' : 'quiet'}>
        <Hidden>, </Hidden>
        {S.slotStates[slot.state]}
      </span>
    </li>
  )
}

function ageText(seconds: number | null): string {
  if (seconds === null) return S.ageUnknown
  return seconds <= JUST_NOW_SECONDS ? S.justNow : S.ago(showDuration(seconds))
}

function shortHash(hash: string): string {
  return `${hash.slice(0, 10)}…${hash.slice(-4)}`
}
