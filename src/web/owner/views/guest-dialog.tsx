/** One guest's visit: the large clock, the facts, and what the owner can do. Money is asked about twice. */
import { useEffect, useState } from 'preact/hooks'
import type { Money, SessionJson, TokenJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showBytes, showClock, showDuration } from '../format.ts'
import { useLive } from '../live.ts'
import { showMoney, showRough, unitsOf } from '../money.ts'
import * as S from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, TextField } from '../ui/field.tsx'
import { Pending, Refused, say } from '../ui/notice.tsx'
import { percentLeft, Started, StatePill, Traffic, useSecondsLeft } from './guest-parts.tsx'

const REFRESH_MS = 3_000
const ADD_MINUTES = ['10', '30', '60', 'other'] as const
const MAX_MINUTES = 366 * 24 * 60

type Step = 'look' | 'extend' | 'refund' | 'end'

interface GuestDialogProps {
  readonly id: string
  /** From the list, so that the sheet opens filled. */
  readonly known: SessionJson | null
  readonly knownAt: number
  readonly token: TokenJson | null
  readonly onClose: () => void
}

export function GuestDialog({ id, known, knownAt, token, onClose }: GuestDialogProps) {
  const live = useLive(`guest/${id}`, () => call('session', { params: { id } }), REFRESH_MS)
  const [step, setStep] = useState<Step>('look')
  const [refunded, setRefunded] = useState<Money | null>(null)
  const isFresh = live.data !== null && live.at >= knownAt
  const session = isFresh ? live.data : (known ?? live.data)
  const at = isFresh ? live.at : knownAt

  if (!session || !token)
    return (
      <Dialog title={S.guestsColumns.guest} onClose={onClose}>
        <Pending live={live} lines={5} height="20px" />
      </Dialog>
    )
  const common = { session, at, token, onClose, onStep: setStep, onChanged: live.put }
  if (refunded) return <RefundedDialog amount={refunded} token={token} onClose={onClose} />
  switch (step) {
    case 'look':
      return <LookStep {...common} />
    case 'extend':
      return <ExtendStep {...common} />
    case 'refund':
      return <RefundStep {...common} onRefunded={setRefunded} />
    case 'end':
      return <EndStep {...common} />
  }
}

interface StepProps {
  readonly session: SessionJson
  readonly at: number
  readonly token: TokenJson
  readonly onClose: () => void
  readonly onStep: (step: Step) => void
  readonly onChanged: (session: SessionJson) => void
}

function LookStep({ session, at, token, onClose, onStep, onChanged }: StepProps) {
  const left = useSecondsLeft(session, at)
  const percent = session.state === 'ended' ? null : percentLeft(session, left)
  const can = (action: SessionJson['actions'][number]): boolean => session.actions.includes(action)
  const params = { id: session.id }
  const pause = useAction(async () => {
    onChanged(await call('pause', { params }))
    say(S.guestPaused)
  })
  const resume = useAction(async () => {
    onChanged(await call('resume', { params }))
    say(S.guestResumed)
  })
  const problem = pause.besides() ?? resume.besides()
  return (
    <Dialog
      title={session.label}
      step="look"
      onClose={onClose}
      foot={
        session.actions.length > 0 && (
          <div class="foot-grid">
            {can('pause') && (
              <Button kind="primary" icon="pause" busy={pause.busy} onClick={() => void pause.run()}>
                {S.guestPause}
              </Button>
            )}
            {can('resume') && (
              <Button kind="primary" icon="play" busy={resume.busy} onClick={() => void resume.run()}>
                {S.guestResume}
              </Button>
            )}
            {can('extend') && (
              <Button icon="clock" onClick={() => onStep('extend')}>
                {S.guestExtend}
              </Button>
            )}
            {can('refund') && (
              <Button icon="back" onClick={() => onStep('refund')}>
                {S.guestRefund}
              </Button>
            )}
            {can('kick') && (
              <Button kind="danger-plain" icon="stop" onClick={() => onStep('end')}>
                {S.guestEnd}
              </Button>
            )}
          </div>
        )
      }
    >
      <div class="visit-clock">
        <StatePill session={session} long />
        {session.state !== 'ended' && (
          <p class="visit-left num">
            {left !== null ? showClock(left) : session.bytesLeft !== null ? showBytes(session.bytesLeft) : S.guestsNoLimit}{' '}
            {(left !== null || session.bytesLeft !== null) && (
              <span class="visit-unit">{session.state === 'paused' ? S.guestPausedClock : S.guestLeft}</span>
            )}
          </p>
        )}
        {percent !== null && (
          <span class={`meter${session.state === 'paused' ? ' meter-paused' : ''}`} aria-hidden="true">
            <i style={{ width: `${percent}%` }} />
          </span>
        )}
        {left !== null && session.bytesLeft !== null && session.state !== 'ended' && (
          <p class="quiet small">{S.guestsBytesLeft(showBytes(session.bytesLeft))}</p>
        )}
      </div>
      <Refused text={problem} />
      <Facts session={session} token={token} />
    </Dialog>
  )
}

function Facts({ session, token }: { session: SessionJson; token: TokenJson }) {
  const names = S.guestFacts
  const refunded = unitsOf(session.refunded)
  return (
    <dl class="facts small">
      <div>
        <dt>{names.used}</dt>
        <dd class="num">{showDuration(session.secondsUsed)}</dd>
      </div>
      <div>
        <dt>{names.traffic}</dt>
        <dd>
          <Traffic session={session} />
        </dd>
      </div>
      <div>
        <dt>
          {names.devices} <span class="num">({S.guestsOfDevices(session.devices.length, session.devicesMax)})</span>
        </dt>
        <dd>
          {session.devices.length === 0 && S.wordsNone}
          {session.devices.map((device) => (
            <span key={device.mac} class="mono device">
              {device.mac}
              {device.ip4 && <span class="quiet"> {device.ip4}</span>}
            </span>
          ))}
        </dd>
      </div>
      <div>
        <dt>{names.paid}</dt>
        <dd class="num">{showMoney(unitsOf(session.paid), token)}</dd>
      </div>
      {refunded > 0n && (
        <div>
          <dt>{names.refunded}</dt>
          <dd class="num">{showMoney(refunded, token)}</dd>
        </div>
      )}
      <div>
        <dt>{names.source}</dt>
        <dd>{S.bought[session.source] ?? session.source}</dd>
      </div>
      <div>
        <dt>{names.started}</dt>
        <dd>
          <Started session={session} />
        </dd>
      </div>
    </dl>
  )
}

function ExtendStep({ session, onClose, onStep, onChanged }: StepProps) {
  const [choice, setChoice] = useState<(typeof ADD_MINUTES)[number]>('30')
  const [other, setOther] = useState('15')
  const [checked, setChecked] = useState(false)
  const minutes = choice === 'other' ? (/^\d{1,6}$/.test(other.trim()) ? Number(other) : 0) : Number(choice)
  const isRight = minutes >= 1 && minutes <= MAX_MINUTES
  const extend = useAction(async () => {
    onChanged(await call('extend', { params: { id: session.id }, body: { seconds: minutes * 60 } }))
    say(S.guestExtended(minutes))
    onStep('look')
  })
  return (
    <Dialog
      title={S.guestExtendTitle}
      step="extend"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void extend.run()
      }}
      foot={
        <>
          <Button onClick={() => onStep('look')}>{S.wordsBack}</Button>
          <Button kind="primary" submit busy={extend.busy}>
            {S.guestExtendButton(isRight ? minutes : 0)}
          </Button>
        </>
      }
    >
      <p class="quiet">{S.guestExtendLead}</p>
      <Choices
        legend={S.guestExtendBy}
        layout="chips"
        value={choice}
        onInput={setChoice}
        options={ADD_MINUTES.map((value) => ({ value, label: value === 'other' ? S.guestExtendOther : S.guestExtendMinutes(Number(value)) }))}
      />
      {choice === 'other' && (
        <TextField
          kind="number"
          label={S.guestExtendCustom}
          value={other}
          onInput={setOther}
          unit={S.setupPriceUnit}
          error={checked && !isRight ? S.guestExtendWrong : extend.at('seconds')}
        />
      )}
      <Refused text={choice === 'other' ? extend.besides('seconds') : extend.besides()} />
    </Dialog>
  )
}

/**
 * What is unused of what was paid, by time or else by bytes, rounded down. Only a forecast for the question:
 * the box counts anew, to the unit, in the moment of the refund.
 */
function refundForecast(session: SessionJson, secondsLeft: number | null): bigint {
  const paid = unitsOf(session.paid) - unitsOf(session.refunded)
  if (secondsLeft !== null) return share(paid, secondsLeft, session.secondsUsed + (session.secondsLeft ?? 0))
  if (session.bytesLeft === null) return 0n
  return share(paid, session.bytesLeft, session.bytesLeft + session.upBytes + session.downBytes)
}

function share(paid: bigint, part: number, whole: number): bigint {
  return whole <= 0 ? 0n : (paid * BigInt(Math.floor(part))) / BigInt(Math.ceil(whole))
}

function RefundStep({ session, at, token, onClose, onStep, onChanged, onRefunded }: StepProps & { onRefunded: (amount: Money) => void }) {
  const left = useSecondsLeft(session, at)
  const refund = useAction(async () => {
    const reply = await call('refund', { params: { id: session.id } })
    onChanged(reply.session)
    onRefunded(reply.refunded)
  })
  return (
    <Dialog
      title={S.guestRefundTitle}
      step="refund"
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => onStep('look')}>{S.wordsBack}</Button>
          <Button kind="danger" busy={refund.busy} onClick={() => void refund.run()}>
            {S.guestRefundButton}
          </Button>
        </>
      }
    >
      <BigSum label={S.guestRefundAbout} text={showRough(refundForecast(session, left), token)} />
      <p>{S.guestRefundLead(showMoney(unitsOf(session.paid), token))}</p>
      <p class="quiet">{S.guestRefundRule}</p>
      <Refused text={refund.besides()} />
    </Dialog>
  )
}

function RefundedDialog({ amount, token, onClose }: { amount: Money; token: TokenJson; onClose: () => void }) {
  useEffect(() => say(S.guestRefundedLead), [])
  return (
    <Dialog
      title={S.guestRefund}
      step="refunded"
      onClose={onClose}
      foot={
        <Button kind="primary" onClick={onClose}>
          {S.wordsDone}
        </Button>
      }
    >
      <BigSum label={S.guestRefunded} text={showMoney(unitsOf(amount), token)} />
      <p>{S.guestRefundedLead}</p>
    </Dialog>
  )
}

function BigSum({ label, text }: { label: string; text: string }) {
  return (
    <div class="collect">
      <span>{label}</span>
      <span class="collect-sum num">{text}</span>
    </div>
  )
}

function EndStep({ session, at, onClose, onStep, onChanged }: StepProps) {
  const left = useSecondsLeft(session, at)
  const end = useAction(async () => {
    onChanged(await call('kick', { params: { id: session.id } }))
    say(S.guestEndDone)
    onStep('look')
  })
  const what = left !== null ? showDuration(left) : session.bytesLeft !== null ? showBytes(session.bytesLeft) : S.guestNothingLeft
  return (
    <Dialog
      title={S.guestEndTitle}
      step="end"
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => onStep('look')}>{S.wordsBack}</Button>
          <Button kind="danger" busy={end.busy} onClick={() => void end.run()}>
            {S.guestEndButton}
          </Button>
        </>
      }
    >
      <p>{S.guestEndLead(what)}</p>
      <Refused text={end.besides()} />
    </Dialog>
  )
}
