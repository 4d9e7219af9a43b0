/** Who pays for frames: what each has bought, owes and has paid; and one of them closely. */
import { useState } from 'preact/hooks'
import type { IotTenantJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call, pathOf } from '../client.ts'
import { perMille, showAmount, showMoney, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { Certificates, CertificatesForm, takesCertificates } from './iot-certificates.tsx'
import { Fact } from './iot-fact.tsx'
import * as S from './iot-strings.ts'

const GROUPS = /\B(?=(\d{3})+$)/g
const grouped = (decimal: string): string => decimal.replace(GROUPS, ',')

function tenantState(tenant: IotTenantJson): keyof typeof S.tenantState {
  if (tenant.isEnded) return 'ended'
  if (tenant.isPaused) return 'paused'
  if (!tenant.isServed) return 'no-credit'
  return tenant.isOnline ? 'served' : 'away'
}

function TenantPill({ tenant }: { tenant: IotTenantJson }) {
  const state = tenantState(tenant)
  return (
    <span class={`pill ${state === 'served' ? 'pill-good' : state === 'ended' ? '' : 'pill-warn'}`}>
      <span class={`dot${state === 'served' ? '' : state === 'paused' ? ' dot-pause' : ' dot-hollow'}`} aria-hidden="true" />
      {S.tenantState[state]}
    </span>
  )
}

/** What he owes, or has paid ahead. */
function owedText({ owed, creditWindow, token }: IotTenantJson): string {
  const sum = unitsOf(owed)
  if (sum < 0n) return S.credit(showMoney(-sum, token))
  return unitsOf(creditWindow) === 0n ? S.prepaid(showMoney(sum, token)) : S.owes(showMoney(sum, token), showMoney(unitsOf(creditWindow), token))
}

export function TenantsCard({ tenants }: { tenants: readonly IotTenantJson[] }) {
  return (
    <section class="card" aria-labelledby="iot-tenants">
      <div class="card-head">
        <div>
          <h2 id="iot-tenants">{S.tenants}</h2>
          {tenants.length === 0 && (
            <p>
              {S.tenantsNone}. {S.tenantsNoneText}
            </p>
          )}
        </div>
      </div>
      {tenants.length > 0 && (
        <ul class="lines">
          {tenants.map((tenant) => (
            <TenantLine key={tenant.id} tenant={tenant} />
          ))}
        </ul>
      )}
    </section>
  )
}

function TenantLine({ tenant }: { tenant: IotTenantJson }) {
  const { token } = tenant
  const used = perMille(unitsOf(tenant.owed), unitsOf(tenant.creditWindow))
  return (
    <li class="iot-item line-link">
      <div class="row">
        <a class="cover" href={hrefOf('iot', `tenant-${tenant.id}`)}>
          <bdi>{tenant.name}</bdi>
        </a>
        <TenantPill tenant={tenant} />
      </div>
      <p class="amount num" title={token.address}>
        {showAmount(unitsOf(tenant.billed), token.decimals)} <span class="amount-symbol">{token.symbol}</span>
      </p>
      <p class="tiny quiet num">{S.earnedFrom(grouped(tenant.units), grouped(tenant.uplinks))}</p>
      {unitsOf(tenant.creditWindow) > 0n && (
        <span class="meter" aria-hidden="true">
          <i class={used >= 900 ? 'meter-out' : undefined} style={{ width: `${Math.min(1_000, used) / 10}%` }} />
        </span>
      )}
      <p class="tiny quiet num">
        {owedText(tenant)} · {S.paidSoFar(showMoney(unitsOf(tenant.paid), token))}
      </p>
      {tenant.lateFrames > 0 && <p class="tiny warn-text">{S.lateFrames(tenant.lateFrames)}</p>}
      {!tenant.isEnded && tenant.tls?.expiry && <p class="tiny warn-text">{S.certificates.expiry[tenant.tls.expiry]}</p>}
    </li>
  )
}

export function TenantDialog({ tenant, onClose, onChanged }: { tenant: IotTenantJson; onClose: () => void; onChanged: () => void }) {
  const { token, prices, newestReceipt } = tenant
  const [step, setStep] = useState<'look' | 'certificates'>('look')
  const params = { id: tenant.id }
  const pause = useAction(async (isPaused: boolean) => {
    await call('pauseIotTenant', { params, body: { isPaused } })
    say(isPaused ? S.paused : S.resumed)
    onChanged()
  })
  const named = S.tenantFacts
  const outcomes = Object.entries(tenant.outcomes).filter(([, count]) => count > 0)
  const look = (): void => setStep('look')
  if (step === 'certificates')
    return (
      <CertificatesForm
        tenant={tenant}
        onClose={onClose}
        onBack={look}
        onDone={() => {
          look()
          onChanged()
        }}
      />
    )
  return (
    <Dialog
      title={tenant.name}
      toRead
      step="look"
      onClose={onClose}
      foot={
        <div class="foot-grid">
          <LinkButton icon="download" download href={pathOf('iotBill', { params })}>
            {S.bill}
          </LinkButton>
          {!tenant.isEnded && (
            <Button kind={tenant.isPaused ? 'primary' : 'danger-plain'} icon={tenant.isPaused ? 'play' : 'pause'} busy={pause.busy} onClick={() => void pause.run(!tenant.isPaused)}>
              {tenant.isPaused ? S.resume : S.pause}
            </Button>
          )}
        </div>
      }
    >
      <div class="row">
        <TenantPill tenant={tenant} />
        <span class="small quiet num">{owedText(tenant)}</span>
      </div>
      <Refused text={pause.besides()} />
      <dl class="facts small">
        <Fact name={named.payer} mono text={tenant.payer} />
        <div>
          <dt>{named.routes}</dt>
          <dd class="mono tiny">
            {tenant.routes.map((route) => (
              <span key={route} class="device">
                {route}
              </span>
            ))}
          </dd>
        </div>
        <Fact name={named.destination} mono text={tenant.destination} />
        <Fact name={named.price} text={showMoney(unitsOf(prices.perUnit), token)} />
        {unitsOf(prices.perJoin) > 0n && <Fact name={named.join} text={showMoney(unitsOf(prices.perJoin), token)} />}
        {prices.perLateFrame && <Fact name={named.late} text={showMoney(unitsOf(prices.perLateFrame), token)} />}
        {Object.entries(prices.perDownlinkMs).map(([band, price]) => (
          <Fact key={band} name={S.perMs(band)} text={showMoney(unitsOf(price), token)} />
        ))}
        <Fact name={named.window} text={showMoney(unitsOf(tenant.creditWindow), token)} />
        <Fact name={named.copies} text={String(tenant.maxCopies)} />
        <Fact name={named.keys} text={tenant.hasMicKeys ? S.keysYes : S.keysNo} />
        {newestReceipt !== null && <Fact name={named.receipt} text={S.receipt(grouped(newestReceipt.seq), showMoney(unitsOf(newestReceipt.amount), token))} />}
      </dl>
      {takesCertificates(tenant) && <Certificates tenant={tenant} onChange={() => setStep('certificates')} />}
      {outcomes.length > 0 && (
        <div>
          <h3>{S.outcomes}</h3>
          <dl class="facts small">
            {outcomes.map(([word, count]) => (
              <Fact key={word} name={S.tenantVerdicts[word] ?? word} text={count.toLocaleString('en')} />
            ))}
          </dl>
        </div>
      )}
      <p class="small quiet">{S.billHint}</p>
    </Dialog>
  )
}
