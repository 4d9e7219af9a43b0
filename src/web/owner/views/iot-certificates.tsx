/** Certificates on the way to a tenant's server: what is there and until when, and new ones. A key goes in and is never shown. */
import { useState } from 'preact/hooks'
import type { IotCertificateJson, IotTenantJson, IotTenantRequest } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showDate } from '../format.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch, TextArea } from '../ui/field.tsx'
import { Notice, Refused, say } from '../ui/notice.tsx'
import * as S from './iot-strings.ts'

const MAX_PEM = 16 * 1024
const named = S.certificates
const FIELDS = ['ca', 'clientCertificate', 'clientKey'] as const

/** Whether his server is reached by TLS: only there certificates are of use. */
export function takesCertificates({ destination, isEnded }: IotTenantJson): boolean {
  return !isEnded && /^(station wss|chirpstack mqtts):\/\//.test(destination)
}

export function Certificates({ tenant, onChange }: { tenant: IotTenantJson; onChange: () => void }) {
  const { tls } = tenant
  const client = tls?.clientCertificate ?? null
  return (
    <>
      <h3>{named.title}</h3>
      {tls?.expiry && <Notice level="warn">{named.expiry[tls.expiry]}</Notice>}
      {tls === null ? (
        <p class="small quiet">{named.none}</p>
      ) : (
        <dl class="facts small">
          <Line name={named.ca} certificates={tls.ca} text={tls.ca.length === 0 ? named.caOfAll : null} />
          {client && <Line name={named.client} certificates={[client]} />}
          {client && <Line name={named.key} text={tls.isKeyLost ? named.keyLost : named.keyHere} isBad={tls.isKeyLost} />}
        </dl>
      )}
      <div>
        <Button onClick={onChange}>{named.change}</Button>
      </div>
    </>
  )
}

function Line({ name, certificates = [], text = null, isBad }: { name: string; certificates?: readonly IotCertificateJson[]; text?: string | null; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? 'warn-text' : undefined}>
        {certificates.map(({ subject, notAfterMs, isExpired, isExpiring }) => (
          <span class="device" key={subject}>
            <bdi class="mono tiny device">{subject}</bdi>
            <span class={`tiny ${isExpired || isExpiring ? 'warn-text' : 'quiet'}`}>
              {named.until[isExpired ? 'expired' : isExpiring ? 'expiring' : 'fine']} {showDate(notAfterMs)}
            </span>
          </span>
        ))}
        {text}
      </dd>
    </div>
  )
}

export function CertificatesForm({ tenant, onClose, onBack, onDone }: { tenant: IotTenantJson; onClose: () => void; onBack: () => void; onDone: () => void }) {
  /** Null: taken away; empty: as it is. */
  const [texts, setTexts] = useState<Readonly<Record<(typeof FIELDS)[number], string | null>>>({ ca: '', clientCertificate: '', clientKey: '' })
  const [checked, setChecked] = useState(false)
  const given = FIELDS.filter((field) => texts[field]?.trim() !== '')
  const save = useAction(async () => {
    await call('putIotTenant', { body: { ...termsOf(tenant), ...Object.fromEntries(given.map((field) => [field, texts[field]])) } })
    say(S.saved)
    onDone()
  })
  const pem = (field: (typeof FIELDS)[number], label: string, hint: string) => {
    const value = texts[field]
    return value !== null && <TextArea label={label} hint={hint} rows={3} value={value} maxLength={MAX_PEM} placeholder="-----BEGIN …" fileLabel={named.file(label)} error={save.at(field)} onInput={(text) => setTexts((before) => ({ ...before, [field]: text }))} />
  }
  const drop = (label: string, ...fields: readonly (typeof FIELDS)[number][]) => (
    <Switch label={label} checked={fields.some((field) => texts[field] === null)} onInput={(isDropped) => setTexts({ ...texts, ...Object.fromEntries(fields.map((field) => [field, isDropped ? null : ''])) })} />
  )
  return (
    <Dialog
      title={named.change}
      step="certificates"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (given.length > 0) void save.run()
      }}
      foot={
        <>
          <Button onClick={onBack}>{W.wordsBack}</Button>
          <Button kind="primary" submit busy={save.busy}>
            {W.wordsSave}
          </Button>
        </>
      }
    >
      <p class="small quiet">{named.lead}</p>
      {tenant.tls?.ca.length ? drop(named.dropCa, 'ca') : null}
      {pem('ca', named.ca, named.caHint)}
      {tenant.tls?.clientCertificate && drop(named.dropClient, 'clientCertificate', 'clientKey')}
      {pem('clientCertificate', named.client, named.clientHint)}
      {pem('clientKey', named.key, named.keyHint + (location.protocol === 'http:' ? named.inTheClear : ''))}
      <Refused text={checked && given.length === 0 ? named.nothing : save.besides(...FIELDS)} />
    </Dialog>
  )
}

/** As they are; the price of a late frame stays when nothing is said of it. */
function termsOf({ id, name, payer, token, routes, destination, prices, creditWindow, maxCopies }: IotTenantJson): IotTenantRequest {
  return {
    id,
    name,
    payer,
    token: token.address,
    routes,
    destination,
    perUnit: prices.perUnit.text,
    perJoin: prices.perJoin.text,
    perDownlinkMs: Object.entries(prices.perDownlinkMs).map(([band, price]) => `${band} ${price.text}`),
    creditWindow: creditWindow.text,
    maxCopies,
  }
}
