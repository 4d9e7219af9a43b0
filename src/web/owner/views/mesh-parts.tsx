/** Parts of the mesh page: who pays whom, prices, ways out, the community and its open codes. */
import type { MeshCarriageJson, MeshJoiningJson, MeshViewJson } from '../../../owner/api.ts'
import { showBytes, showDuration } from '../format.ts'
import { unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Hidden, Notice } from '../ui/notice.tsx'
import { shortAddress } from './chain-parts.tsx'
import { LevelDot } from './health-parts.tsx'
import { keyOf } from './mesh-graph.ts'
import { amountText, nameOfBox, priceText, withNames } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

const CARRIAGE_LEVELS = { offered: 'ok', running: 'ok', 'in-debt': 'bad', ended: 'warn', silent: 'warn' } as const
const UPLINK_LEVELS = { good: 'ok', poor: 'warn', down: 'bad', unknown: 'warn' } as const

export function PaymentsCard({ view }: { view: MeshViewJson }) {
  const { payments } = view.map
  return (
    <section class="card" aria-labelledby="mesh-payments">
      <div class="card-head">
        <div>
          <h2 id="mesh-payments">{S.payments}</h2>
          {view.status.token === null ? <p>{S.unpaid}</p> : payments.length === 0 && <p>{S.paymentsNone}</p>}
        </div>
      </div>
      {payments.length > 0 && (
        <ul class="lines">
          {payments.map((one, index) => (
            <CarriageLine key={index} view={view} carriage={one} isLink />
          ))}
        </ul>
      )}
    </section>
  )
}

/** `isLink`: to the box, where something can be done about it. */
export function CarriageLine({ view, carriage, isLink = false }: { view: MeshViewJson; carriage: MeshCarriageJson; isLink?: boolean }) {
  const { carrier, client, isOurs, state, reason, upBytes, downBytes, open, paid, token } = carriage
  const left = unitsOf(open)
  const isBad = CARRIAGE_LEVELS[state] !== 'ok'
  const other = isOurs === 'client' ? carrier : client
  const title = isOurs === 'client' ? S.carriesUs(nameOfBox(view, carrier)) : S.weCarry(nameOfBox(view, client))
  return (
    <li class="line line-top channel-payment">
      <LevelDot level={CARRIAGE_LEVELS[state]} />
      <div class="line-text">
        {isLink ? (
          <a href={hrefOf('mesh', `box-${linkOf(view, other)}`)}>
            <bdi>{title}</bdi>
          </a>
        ) : (
          <bdi>{title}</bdi>
        )}
        <span class={`tiny ${isBad ? 'warn-text' : 'quiet'}`}>
          {S.carriageStates[state]}
          {reason !== null && `: ${withNames(view, reason)}`}
        </span>
        <span class="tiny quiet num">{S.carried(showBytes(upBytes + downBytes))}</span>
      </div>
      <div class="chain-says small">
        <span class="num strong">
          <Hidden>, </Hidden>
          {isOurs === 'client' ? '−' : '+'}
          {amountText(paid, token)}
        </span>
        {left > 0n && <span class={`tiny num ${state === 'in-debt' ? 'warn-text' : 'quiet'}`}>{S.toPay(amountText(open, token))}</span>}
      </div>
    </li>
  )
}

/** As the list of boxes links to it. */
function linkOf({ map }: MeshViewJson, box: string): string {
  const node = map.nodes.find((each) => each.box === box)
  return node === undefined ? box : keyOf(node)
}

export function PricesCard({ view }: { view: MeshViewJson }) {
  const { token } = view.status
  const { own, adverts, spending } = view.prices
  if (token === null) return null
  const price = priceText(own?.price ?? null, token)
  return (
    <section class="card card-pad" aria-labelledby="mesh-prices">
      <h2 id="mesh-prices">{S.prices}</h2>
      <dl class="facts small">
        <div>
          <dt>{S.ownPrice}</dt>
          <dd>
            {price === null ? <span class="quiet">{S.ownPriceNone}</span> : <span class="num strong">{S.perMib(price)}</span>}
            {price !== null && own !== null && <span class="block tiny quiet num">{S.ownShare(amountText(own.share, token))}</span>}
          </dd>
        </div>
        {spending !== null && (
          <div>
            <dt>{S.spent}</dt>
            <dd>
              {unitsOf(spending.cap) === 0n ? <span class="quiet">{S.spendsNothing}</span> : <span class="num">{S.spentOf(amountText(spending.spent, token), amountText(spending.cap, token))}</span>}
              {unitsOf(spending.cap) > 0n && <span class="block tiny quiet num">{S.dayLeft(spending.leftSeconds)}</span>}
            </dd>
          </div>
        )}
        {adverts.map(({ box, price: theirs, refusal }) => (
          <div key={box}>
            <dt>
              <bdi>{S.asks(nameOfBox(view, box))}</bdi>
            </dt>
            <dd>
              {theirs === null ? <span class="quiet">{S.noPrice}</span> : <span class="num">{S.perMib(amountText(theirs, token))}</span>}
              {refusal !== null && <span class="block tiny quiet">{S.refusedBecause(refusal)}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

export function UplinksCard({ view }: { view: MeshViewJson }) {
  const { status, map, wayOut } = view
  const names = wayOut.map((box) => nameOfBox(view, box))
  const lost = map.nodes.filter(({ isGone, isGateway }) => isGone && isGateway)
  const level = { internet: 'ok', intermittent: 'warn', none: 'bad' } as const
  return (
    <section class="card" aria-labelledby="mesh-uplinks">
      <div class="card-head">
        <h2 id="mesh-uplinks">{S.uplinks}</h2>
      </div>
      <div class="line line-top chain-state">
        <LevelDot level={level[status.reach]} />
        <div class="line-text">
          <span class="strong">{S.reachTitle[status.reach]}</span>
          <span class="small quiet">{status.reach === 'none' ? S.reachNone : status.uplink !== null ? S.reachOwn(status.uplink) : names.length > 0 ? S.reachThrough(names) : ''}</span>
          {status.reach === 'none' && lost.length > 0 && (
            <span class="small warn-text">{S.gatewaysLost(lost.map((node) => nameOfBox(view, node.box ?? '')), lost[0]?.forSeconds == null ? null : showDuration(Math.min(...lost.map(({ forSeconds }) => forSeconds ?? 0))))}</span>
          )}
        </div>
      </div>
      {map.uplinks.length === 0 ? (
        <p class="card-pad small quiet">{S.uplinksNone}</p>
      ) : (
        <ul class="lines">
          {map.uplinks.map(({ name, kind, health, roundTripMs, loss, isChosen, forSeconds, reason }) => {
            const bought = status.purchases.find(({ uplink }) => uplink === name)
            return (
              <li key={name} class="line line-top">
                <LevelDot level={UPLINK_LEVELS[health]} />
                <div class="line-text">
                  <span>
                    {S.uplinkKinds[kind]} <span class="mono tiny">{name}</span>
                  </span>
                  <span class={`tiny ${health === 'good' ? 'quiet' : 'warn-text'}`}>
                    {S.uplinkHealth[health]}
                    {` · ${showDuration(forSeconds)}`}
                    {reason !== '' && ` · ${reason}`}
                  </span>
                  {bought !== undefined && (
                    <span class={`tiny ${bought.isSpent ? 'warn-text' : 'quiet'}`}>
                      {S.boughtState(bought.isSpent, bought.paidForSeconds)}
                      {` · ${S.spentOf(amountText(bought.spent, status.token), amountText(bought.cap, status.token))} · ${bought.reason}`}
                    </span>
                  )}
                </div>
                <div class="chain-says small">
                  {isChosen && (
                    <span class="strong">
                      <Hidden>, </Hidden>
                      {S.uplinkChosen}
                    </span>
                  )}
                  <span class="tiny quiet num">{S.uplinkFacts(roundTripMs, loss)}</span>
                </div>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}

export interface CommunityProps {
  readonly view: MeshViewJson
  /** Null: the files are not ours, or not known yet. */
  readonly joining: MeshJoiningJson | null
  readonly onTakeBack: (number: number) => void
}

export function CommunityCard({ view, joining, onTakeBack }: CommunityProps) {
  const { status, members, peers, invitations } = view
  const isHome = joining?.community?.address === status.community
  const shutOut = [...new Set([...members.filter(({ standing }) => standing === 'expelled'), ...peers.filter(({ ban }) => ban !== null)].map(({ box }) => box))]
  return (
    <section class="card" aria-labelledby="mesh-community">
      <div class="card-head">
        <div>
          <h2 id="mesh-community">{S.community}</h2>
          <p>
            {isHome && <bdi class="strong">{joining?.community?.name} </bdi>}
            <span class="mono tiny" title={status.community}>
              {shortAddress(status.community)}
            </span>
          </p>
        </div>
      </div>
      <div class="card-pad chain-facts small quiet">
        {joining?.needsRestart === true && <Notice level="warn">{S.restartFirst}</Notice>}
        <p>
          <span class={status.standing === 'admitted' ? 'strong' : 'strong warn-text'}>{S.standings[status.standing]}.</span> {status.isOurs ? S.communityOurs : S.ownStandingHints[status.standing]}
        </p>
        <p class="num">{S.members(members.filter(({ standing }) => standing === 'admitted' || standing === 'provisional').length)}</p>
        {shutOut.length > 0 && (
          <p>
            {S.shutOut}{' '}
            {shutOut.map((box, index) => (
              <span key={box}>
                {index > 0 && ', '}
                <a href={hrefOf('mesh', `box-${box}`)}>
                  <bdi>{nameOfBox(view, box)}</bdi>
                </a>
              </span>
            ))}
          </p>
        )}
      </div>
      {invitations.length > 0 && (
        <ul class="lines" aria-label={S.invitations}>
          {invitations.map(({ number, uses, usedBy, leftSeconds }) => (
            <li key={number} class="line">
              <div class="line-text">
                <span class="num">{S.invitation(number, usedBy.length, uses)}</span>
                <span class="tiny quiet">{S.invitationLeft(leftSeconds)}</span>
              </div>
              <Button small onClick={() => onTakeBack(number)}>
                {S.takeBack}
                <Hidden> {S.inviteMade(number)}</Hidden>
              </Button>
            </li>
          ))}
        </ul>
      )}
      {joining?.community && (
        <div class="card-foot">
          <LinkButton kind="quiet" small href={hrefOf('mesh', 'leave')}>
            {S.leaveOrUndo}
          </LinkButton>
          {joining.canUndo && (
            <LinkButton kind="quiet" small href={hrefOf('mesh', 'undo')}>
              {S.undo}
            </LinkButton>
          )}
        </div>
      )}
    </section>
  )
}
