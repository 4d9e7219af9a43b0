/** The mesh in plain words: which boxes there are and how they are reached, which way leads out, who pays whom, who belongs here. */
import type { MeshViewJson } from '../../../owner/api.ts'
import { hrefOf } from '../router.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty, Notice, Refused, Said } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { LevelDot } from './health-parts.tsx'
import { BoxTable } from './mesh-boxes.tsx'
import { GuestsCard } from './mesh-guests.tsx'
import { MapLegend, MeshMap } from './mesh-map.tsx'
import { CommunityCard, PaymentsCard, PricesCard, UplinksCard } from './mesh-parts.tsx'
import type { CommunityProps } from './mesh-parts.tsx'
import { withNames } from './mesh-names.ts'
import * as S from './mesh-strings.ts'

export interface MeshPageProps extends CommunityProps {
  /** Why what is shown is old, or an order was refused. */
  readonly problem: string | null
}

export function MeshPage({ view, joining, problem, onTakeBack }: MeshPageProps) {
  const { status, map } = view
  const others = map.nodes.filter(({ isSelf }) => !isSelf)
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead}>
        {status.isOurs && (
          <LinkButton kind="primary" icon="plus" href={hrefOf('mesh', 'invite')}>
            {S.invite}
          </LinkButton>
        )}
      </PageHead>
      <Refused text={problem} />
      {status.alarms.map(({ code, text, forSeconds }) => (
        <Notice key={`${code} ${text}`} level="bad">
          <Said text={withNames(view, text)} /> {forSeconds !== null && <span class="small">{S.alarmSince(forSeconds)}</span>}
        </Notice>
      ))}
      <Columns
        main={
          <>
            <section class="card" aria-label={S.boxes}>
              {(others.length > 0 || status.condition.kind !== 'up') && <State view={view} />}
              {others.length > 0 && (
                <>
                  <MeshMap view={view} />
                  <MapLegend view={view} />
                  <BoxTable view={view} />
                </>
              )}
              {others.length === 0 && status.condition.kind === 'up' && (
                <Empty icon="mesh" title={S.aloneTitle} text={S.aloneText} />
              )}
            </section>
            <PaymentsCard view={view} />
            <GuestsCard view={view} />
          </>
        }
        side={
          <>
            <UplinksCard view={view} />
            <CommunityCard view={view} joining={joining} onTakeBack={onTakeBack} />
            <PricesCard view={view} />
          </>
        }
      />
    </div>
  )
}

function State({ view: { status, map } }: { view: MeshViewJson }) {
  const { condition, alarms, nodes, connected } = status
  const gone = map.nodes.filter(({ isGone }) => isGone).length
  const level = condition.kind !== 'up' || alarms.length > 0 ? 'bad' : nodes === 0 || gone > 0 ? 'warn' : 'ok'
  return (
    <div class="line line-top chain-state">
      <LevelDot level={level} />
      <div class="line-text">
        <h2 id="mesh-state">{condition.kind !== 'up' ? S.conditionTitle[condition.kind] : nodes === 0 ? S.aloneTitle : alarms.length > 0 ? S.troubleTitle : S.conditionTitle.up}</h2>
        <p class="small quiet">
          {condition.kind === 'up' && `${S.inReach(nodes, connected)} ${S.guests(status.guests)}`} {gone > 0 && <span class="warn-text">{S.partition(gone)}</span>}
        </p>
      </div>
    </div>
  )
}
