/** Parts of the chain page: what the box earns by making blocks, and whom it asks. */
import type { ChainPageView, ChainSealerJson, ChainSourceJson } from '../../../owner/api.ts'
import { showDuration } from '../format.ts'
import { showAmount, showMoney, unitsOf } from '../money.ts'
import { Hidden } from '../ui/notice.tsx'
import * as S from './chain-strings.ts'
import { LevelDot } from './health-parts.tsx'

const SEALER_LEVELS = { ready: 'ok', waiting: 'ok', stopped: 'warn', held: 'warn' } as const

export function SealerCard({ sealer }: { sealer: ChainSealerJson | null }) {
  if (sealer === null)
    return (
      <section class="card card-pad" aria-labelledby="chain-sealer">
        <h2 id="chain-sealer">{S.sealerOff}</h2>
        <p class="small quiet">{S.sealerOffText}</p>
      </section>
    )
  const { token, nextSlotInSeconds: inSeconds } = sealer
  const waiting = unitsOf(sealer.notFinal)
  return (
    <section class="card" aria-labelledby="chain-sealer">
      <div class="card-head">
        <h2 id="chain-sealer">{S.sealer}</h2>
      </div>
      <div class="line line-top chain-state">
        <LevelDot level={SEALER_LEVELS[sealer.state]} />
        <div class="line-text">
          <span class="strong">{S.sealerStates[sealer.state]}</span>
          <span class="small quiet">
            {sealer.reason ?? S.sealerText[sealer.state]}
            {inSeconds !== null && ` ${S.nextTurn(showDuration(inSeconds))}`}
          </span>
        </div>
      </div>
      <div class="card-pad chain-sums">
        <div class="sums">
          <div class="sum-main">
            <h3 class="sum-label">{S.today}</h3>
            <Amount sum={sealer.earnedToday} token={token} large />
            <p class="quiet small num">{S.blocksSinceStart(sealer.sealed, sealer.missed)}</p>
          </div>
          <div class="sum-more">
            <div>
              <h3 class="sum-label">{S.inAll}</h3>
              <Amount sum={sealer.earnedTotal} token={token} />
            </div>
          </div>
        </div>
        {waiting > 0n && <p class="quiet small num">{S.notFinal(showMoney(waiting, token))}</p>}
        <dl class="facts small">
          <div>
            <dt>{S.paidTo}</dt>
            <dd class="mono tiny" title={sealer.coinbase}>
              {shortAddress(sealer.coinbase)}
            </dd>
          </div>
          <div>
            <dt>{S.boxAddress}</dt>
            <dd class="mono tiny" title={sealer.address}>
              {shortAddress(sealer.address)}
            </dd>
          </div>
        </dl>
      </div>
    </section>
  )
}

function Amount({ sum, token, large }: { sum: ChainSealerJson['earnedToday']; token: ChainSealerJson['token']; large?: boolean }) {
  return (
    <p class={`amount num${large ? ' amount-large' : ''}`} title={sum.text}>
      {showAmount(unitsOf(sum), token.decimals)} <span class="amount-symbol">{token.symbol}</span>
    </p>
  )
}

export function SourcesCard({ view }: { view: ChainPageView }) {
  const { sources, agreeing, banned } = view
  return (
    <section class="card" aria-labelledby="chain-sources">
      <div class="card-head">
        <div>
          <h2 id="chain-sources">{S.sources}</h2>
          <p>{sources.length === 0 ? S.sourcesNone : S.agreeing(agreeing, sources.length)}</p>
        </div>
      </div>
      {sources.length > 0 && (
        <ul class="lines">
          {sources.map((source) => (
            <SourceLine key={source.id} source={source} />
          ))}
        </ul>
      )}
      <div class="card-pad chain-facts small quiet">
        <p>{sources.length === 0 ? S.sourcesNoneText : S.sourcesText}</p>
        {banned > 0 && <p class="warn-text">{S.banned(banned)}</p>}
      </div>
    </section>
  )
}

function SourceLine({ source }: { source: ChainSourceJson }) {
  const word = source.agrees === null ? S.notKnown : source.agrees ? S.agrees : S.disagrees
  return (
    <li class="line line-top">
      {source.agrees === null ? <span class="level level-none" aria-hidden="true" /> : <LevelDot level={source.agrees ? 'ok' : 'warn'} />}
      <div class="line-text">
        <span>{S.sourceKinds[source.kind]}</span>
        <span class="tiny quiet">{source.id.replace(/^[a-z0-9]+:/, '')}</span>
      </div>
      <div class="chain-says small">
        <span class={source.agrees === false ? 'warn-text' : 'quiet'}>{word}</span>
        {source.headNumber !== null && (
          <span class="tiny quiet num">
            <Hidden>, </Hidden>
            {S.atBlock(source.headNumber)}
          </span>
        )}
      </div>
    </li>
  )
}

export function shortAddress(address: string): string {
  return `${address.slice(0, 8)}…${address.slice(-6)}`
}
