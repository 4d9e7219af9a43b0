/** The fifth tab on a phone: the views that do not fit into the bar, and signing out. */
import { auth } from '../client.ts'
import { useCell } from '../cell.ts'
import { hrefOf } from '../router.ts'
import { followsChain, hasShares, hearsSensors, levelOf, useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { Icon } from '../ui/icon.tsx'
import { SignOutButton } from '../ui/sign-out.tsx'
import { LevelDot } from './health-parts.tsx'

export function MoreView() {
  const { data } = useStatus()
  const idleMinutes = useCell(auth).login?.idleMinutes
  const level = data ? levelOf(data) : 'ok'
  return (
    <div class="page">
      <h1 tabIndex={-1}>{S.nav.more}</h1>
      <ul class="card lines">
        {data && followsChain(data) && (
          <li class="line line-link">
            <Icon name="chain" size={22} />
            <div class="line-text">
              <a class="cover" href={hrefOf('chain')}>
                {S.nav.chain}
              </a>
            </div>
            <Icon name="right" size={18} />
          </li>
        )}
        {data?.photon && (
          <li class="line line-link">
            <Icon name="channels" size={22} />
            <div class="line-text">
              <a class="cover" href={hrefOf('channels')}>
                {S.nav.channels}
              </a>
            </div>
            <Icon name="right" size={18} />
          </li>
        )}
        {data && hasShares(data) && (
          <li class="line line-link">
            <Icon name="share" size={22} />
            <div class="line-text">
              <a class="cover" href={hrefOf('payouts')}>
                {S.nav.payouts}
              </a>
            </div>
            <Icon name="right" size={18} />
          </li>
        )}
        {data && hearsSensors(data) && (
          <li class="line line-link">
            <Icon name="antenna" size={22} />
            <div class="line-text">
              <a class="cover" href={hrefOf('iot')}>
                {S.nav.iot}
              </a>
            </div>
            <Icon name="right" size={18} />
          </li>
        )}
        <li class="line line-link">
          <Icon name="mesh" size={22} />
          <div class="line-text">
            <a class="cover" href={hrefOf('mesh')}>
              {S.nav.mesh}
            </a>
          </div>
          <Icon name="right" size={18} />
        </li>
        <li class="line line-link">
          <Icon name="health" size={22} />
          <div class="line-text">
            <a class="cover" href={hrefOf('health')}>
              {S.nav.health}
            </a>
            {data && <span class="quiet small">{S.healthSummary[level]}</span>}
          </div>
          {data && level !== 'ok' && <LevelDot level={level} />}
          <Icon name="right" size={18} />
        </li>
        <li class="line line-link">
          <Icon name="settings" size={22} />
          <div class="line-text">
            <a class="cover" href={hrefOf('settings')}>
              {S.nav.settings}
            </a>
            <span class="quiet small">{S.settingsAbout}</span>
          </div>
          <Icon name="right" size={18} />
        </li>
      </ul>
      <div class="stack-tight">
        <div>
          <SignOutButton kind="plain" />
        </div>
        {idleMinutes !== undefined && <p class="quiet small">{S.settingsSignOutLead(idleMinutes)}</p>}
      </div>
    </div>
  )
}
