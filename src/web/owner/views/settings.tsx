/** Settings: name of the place, password, look of this page, keys for a second box, and what the box is set to. */
import { useState } from 'preact/hooks'
import type { SettingsJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { useCell } from '../cell.ts'
import { call, enter } from '../client.ts'
import { useLive } from '../live.ts'
import { useStatus } from '../status.ts'
import * as S from '../strings.ts'
import { chooseLook, look, type Look } from '../theme.ts'
import { Button } from '../ui/button.tsx'
import { Form, Tabs, TextField } from '../ui/field.tsx'
import { NewPassword, newPasswordProblem } from '../ui/new-password.tsx'
import { Pending, Refused, Said, say } from '../ui/notice.tsx'
import { Columns } from '../ui/page.tsx'
import { WordsDialog } from './words-dialog.tsx'

/** What the identity room asks for; the box has the last word. */
const LEAST_CHARACTERS = 10
const MILLION = 1_000_000

export function SettingsView() {
  const settings = useLive('settings', () => call('settings', {}), null)
  const { data } = settings
  return (
    <div class="page">
      <h1 tabIndex={-1}>{S.settingsTitle}</h1>
      {!data && (
        <div class="card card-pad">
          <Pending live={settings} lines={8} height="36px" />
        </div>
      )}
      {data && (
        <Columns
          isEven
          main={
            <>
              <NameCard settings={data} onSaved={settings.put} />
              <PasswordCard />
              <LookCard />
            </>
          }
          side={
            <>
              <KeysCard settings={data} />
              <NetworkCard settings={data} />
            </>
          }
        />
      )}
    </div>
  )
}

function NameCard({ settings, onSaved }: { settings: SettingsJson; onSaved: (settings: SettingsJson) => void }) {
  const status = useStatus()
  const [name, setName] = useState(settings.name)
  const save = useAction(async () => {
    const reply = await call('changeSettings', { body: { name: name.trim() } })
    onSaved(reply.settings)
    setName(reply.settings.name)
    say(S.settingsNameSaved)
    await status.reload()
  })
  return (
    <section class="card card-pad" aria-labelledby="place">
      <Form onSubmit={() => void save.run()}>
        <h2 id="place">{S.settingsPlace}</h2>
        <TextField label={S.settingsName} hint={S.settingsNameHint} value={name} onInput={setName} maxLength={48} error={save.at('name')} />
        <Refused text={save.besides('name')} />
        <div>
          <Button kind="primary" submit busy={save.busy}>
            {S.wordsSave}
          </Button>
        </div>
      </Form>
    </section>
  )
}

function PasswordCard() {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [repeat, setRepeat] = useState('')
  const [checked, setChecked] = useState(false)
  const change = useAction(async () => {
    enter(await call('changePassword', { body: { current, next } }))
    setCurrent('')
    setNext('')
    setRepeat('')
    setChecked(false)
    say(S.settingsChanged)
  })
  const isWrongNow = change.problem?.code === 'wrong-password'
  const rest = isWrongNow ? null : change.besides('current', 'next', 'password')
  return (
    <section class="card card-pad" aria-labelledby="password">
      <Form
        onSubmit={() => {
          setChecked(true)
          if (newPasswordProblem(next, repeat, LEAST_CHARACTERS) === null) void change.run()
        }}
      >
        <h2 id="password">{S.settingsPassword}</h2>
        <TextField
          kind="password"
          label={S.settingsCurrent}
          value={current}
          onInput={setCurrent}
          autocomplete="current-password"
          error={isWrongNow ? S.loginWrong : change.at('current')}
        />
        <NewPassword
          label={S.settingsNext}
          least={LEAST_CHARACTERS}
          value={next}
          repeat={repeat}
          onInput={setNext}
          onRepeat={setRepeat}
          checked={checked}
          error={isWrongNow ? null : (change.at('next') ?? change.at('password'))}
        />
        <Refused text={rest} />
        <div>
          <Button kind="primary" submit busy={change.busy}>
            {S.settingsChange}
          </Button>
        </div>
      </Form>
    </section>
  )
}

function LookCard() {
  const chosen = useCell(look)
  return (
    <section class="card card-pad stack" aria-labelledby="look">
      <h2 id="look">{S.settingsLook}</h2>
      <Tabs
        legend={S.settingsLook}
        value={chosen}
        onInput={chooseLook}
        options={(['auto', 'light', 'dark'] satisfies Look[]).map((value) => ({ value, label: S.settingsLooks[value] }))}
      />
    </section>
  )
}

function KeysCard({ settings }: { settings: SettingsJson }) {
  const [open, setOpen] = useState(false)
  return (
    <section class="card card-pad stack" aria-labelledby="keys">
      <div class="stack-tight">
        <h2 id="keys">{S.settingsKeys}</h2>
        <p class="quiet small">
          <Said text={S.settingsKeysLead} />
        </p>
      </div>
      <div class="stack-tight">
        <p class="small field-label">{S.settingsKeysPublic}</p>
        <p class="mono tiny quiet">{settings.identity.voucherPublicKey}</p>
      </div>
      <div>
        <Button icon="key" onClick={() => setOpen(true)}>
          {S.settingsKeysButton}
        </Button>
      </div>
      {open && (
        <WordsDialog
          route="revealVoucherWords"
          title={S.settingsKeysTitle}
          warning={S.settingsKeysWarn}
          heading={S.settingsKeysNow}
          isOnce={false}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  )
}

function NetworkCard({ settings }: { settings: SettingsJson }) {
  const { network, owner, shares, identity } = settings
  const names = S.settingsFacts
  const garden = [...network.walledGardenDomains, ...network.walledGardenAddresses]
  const scheme = owner.tls ? 'https' : 'http'
  return (
    <section class="card card-pad stack-tight" aria-labelledby="network">
      <h2 id="network">{S.settingsNetwork}</h2>
      <p class="quiet small">{S.settingsNetworkLead}</p>
      <dl class="facts small">
        <Fact name={names.guest} text={network.guestInterface} />
        <Fact name={names.uplink} text={network.uplinkInterfaces.join(', ') || S.wordsNone} />
        <Fact name={names.portal} text={network.portalHost} />
        <Fact name={names.isolation} text={network.clientIsolation ? S.settingsIsolationOn : S.settingsIsolationOff} />
        <Fact name={names.garden} text={garden.join(', ') || S.wordsNone} />
        <Fact name={names.dashboard} text={`${scheme}://${owner.address}:${owner.port}`} />
        <Fact
          name={names.shares}
          text={shares.length === 0 ? S.settingsSharesNone : shares.map((one) => S.settingsShare(String((one.partsPerMillion * 100) / MILLION), one.beneficiary)).join(', ')}
        />
        <Fact name={S.settingsAddress} text={identity.address} />
      </dl>
    </section>
  )
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  )
}
