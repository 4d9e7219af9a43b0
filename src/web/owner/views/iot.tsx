/** Sensors in plain words: does the box hear, what do they say, who pays for the frames of others, what does the box do by itself. */
import type { IotDeviceJson, IotDownlinkJson, IotFrameJson, IotGatewayJson, IotRulesJson, IotStatusJson, IotTenantJson } from '../../../owner/api.ts'
import { showBytes } from '../format.ts'
import { hrefOf } from '../router.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty, Notice, Refused } from '../ui/notice.tsx'
import { Columns, PageHead } from '../ui/page.tsx'
import { LevelDot } from './health-parts.tsx'
import { DevicesCard } from './iot-devices.tsx'
import { DownlinksCard, FramesCard, RadioCard } from './iot-radio.tsx'
import { RulesCard } from './iot-rules.tsx'
import * as S from './iot-strings.ts'
import { TenantsCard } from './iot-tenants.tsx'

export interface IotPageProps {
  readonly status: IotStatusJson
  readonly gateways: readonly IotGatewayJson[]
  readonly devices: readonly IotDeviceJson[]
  readonly tenants: readonly IotTenantJson[]
  readonly rules: IotRulesJson
  readonly frames: readonly IotFrameJson[]
  readonly downlinks: readonly IotDownlinkJson[]
  /** Why what is shown is old. */
  readonly problem: string | null
}

/** The role is not set: nothing of it runs. */
export function IotOff() {
  return (
    <div class="page">
      <h1 tabIndex={-1}>{S.title}</h1>
      <section class="card">
        <Empty icon="antenna" title={S.offTitle} text={S.offText} />
      </section>
    </div>
  )
}

export function IotPage(props: IotPageProps) {
  const { status, devices } = props
  const { broker } = status
  const nameOf = (devEui: string): string => devices.find((device) => device.devEui === devEui)?.name ?? devEui
  return (
    <div class="page">
      <PageHead title={S.title} lead={S.lead}>
        <div class="row">
          <LinkButton icon="clock" href={hrefOf('iot', 'new-rule')}>
            {S.addRule}
          </LinkButton>
          <LinkButton kind="primary" icon="plus" href={hrefOf('iot', 'new')}>
            {S.addDevice}
          </LinkButton>
        </div>
      </PageHead>
      <Refused text={props.problem} />
      {broker.problem !== null && (
        <Notice level="warn">
          {S.brokerProblem(broker.problem)} {S.brokerAdvice(broker.problem)}
          {S.brokerKept}
        </Notice>
      )}
      <Columns
        main={
          <>
            <RadioCard status={status} gateways={props.gateways} />
            <DevicesCard devices={devices} />
            <FramesCard frames={props.frames} nameOf={nameOf} />
          </>
        }
        side={
          <>
            <TenantsCard tenants={props.tenants} />
            <RulesCard {...props.rules} />
            <DownlinksCard downlinks={props.downlinks} nameOf={nameOf} />
            <BrokerCard status={status} />
          </>
        }
      />
    </div>
  )
}

function BrokerCard({ status }: { status: IotStatusJson }) {
  const { broker, late } = status
  const isOff = broker.kind === 'off'
  return (
    <section class="card" aria-labelledby="iot-broker">
      <div class="line line-top iot-broker">
        <LevelDot level={isOff || broker.isConnected ? 'ok' : 'warn'} />
        <div class="line-text">
          <h2 id="iot-broker">{S.broker}</h2>
          <p class="small">{S.brokerKinds[broker.kind]}</p>
          <p class="small quiet">{isOff ? S.brokerOff : broker.problem !== null ? broker.problem : broker.isConnected ? S.brokerWorks : S.brokerWaits}</p>
          {broker.unpublished > 0 && <p class="tiny quiet num">{S.unpublished(broker.unpublished)}</p>}
        </div>
      </div>
      {(late.frames > 0 || late.lost !== '0') && (
        <div class="card-pad">
          <h3>{S.late}</h3>
          <p class="small quiet num">
            {S.lateText(late.frames, showBytes(late.bytes))}
            {late.lost !== '0' && ` · ${S.lateLost(late.lost)}`}
          </p>
        </div>
      )}
    </section>
  )
}
