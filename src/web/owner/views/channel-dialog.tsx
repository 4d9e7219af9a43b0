/** One channel: its facts, and what the owner can do with it. Each step says what becomes of the money before it is ordered. */
import { useState } from 'preact/hooks'
import type { PhotonChannelAction, PhotonChannelJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showDateTime } from '../format.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, TextField } from '../ui/field.tsx'
import { Notice, Refused, say } from '../ui/notice.tsx'
import { ChannelBar } from './channel-bar.tsx'
import * as S from './channel-strings.ts'
import { PhasePill } from './channels.tsx'

type Step = 'look' | 'deposit' | 'withdraw' | 'close'

export interface ChannelDialogProps {
  readonly channel: PhotonChannelJson
  readonly blockSeconds: number | null
  readonly onClose: () => void
  /** The channel as it is after an order. */
  readonly onChanged: (channel: PhotonChannelJson) => void
}

interface StepProps extends ChannelDialogProps {
  readonly onStep: (step: Step) => void
}

export function ChannelDialog(props: ChannelDialogProps) {
  const [step, setStep] = useState<Step>('look')
  const common = { ...props, onStep: setStep }
  if (step === 'close') return <CloseStep {...common} />
  return step === 'look' ? <LookStep {...common} /> : <AmountStep key={step} verb={step} {...common} />
}

function LookStep({ channel, blockSeconds, onClose, onStep }: StepProps) {
  const { own, partner, token, actions } = channel
  const can = (action: PhotonChannelAction): boolean => actions.includes(action)
  return (
    <Dialog
      title={S.title}
      toRead
      step="look"
      onClose={onClose}
      foot={
        actions.length > 0 && (
          <div class="foot-grid">
            {can('deposit') && (
              <Button kind="primary" icon="plus" onClick={() => onStep('deposit')}>
                {S.deposit}
              </Button>
            )}
            {can('withdraw') && (
              <Button icon="back" onClick={() => onStep('withdraw')}>
                {S.withdraw}
              </Button>
            )}
            {can('force-close') && (
              <Button kind="danger-plain" icon="stop" onClick={() => onStep('close')}>
                {S.close}
              </Button>
            )}
          </div>
        )
      }
    >
      <div class="row">
        <PhasePill channel={channel} />
        <span class="small quiet">
          {channel.isConnected ? S.connected : S.notConnected} · {S.roles[channel.role]}
        </span>
      </div>
      <ChannelBar channel={channel} />
      {channel.alarm !== null && (
        <Notice level="warn">
          {channel.alarm} {S.advice(channel.phase)}
        </Notice>
      )}
      {channel.closeRefusal !== null && (
        <Notice level="warn">
          {S.closeRefused(channel.closeRefusal.reason)} {can('close') ? S.closeRefusedAgain : S.closeRefusedAlone}
        </Notice>
      )}
      <dl class="facts small">
        <div>
          <dt>{S.withWhom}</dt>
          <dd class="mono tiny">{partner.address}</dd>
        </div>
        <div>
          <dt>{S.facts.id}</dt>
          <dd class="mono tiny">{channel.id}</dd>
        </div>
        <div>
          <dt>{S.facts.put}</dt>
          <dd class="num">
            {showMoney(unitsOf(own.deposit), token)}, {showMoney(unitsOf(partner.deposit), token)}
          </dd>
        </div>
        <div>
          <dt>{S.facts.opened}</dt>
          <dd class="num">{channel.openedWallMs === null ? S.openedIn(channel.openBlock) : showDateTime(channel.openedWallMs)}</dd>
        </div>
        <div>
          <dt>{S.facts.timeout}</dt>
          <dd class="num">{S.waitBlocks(channel.settleTimeoutBlocks, blockSeconds)}</dd>
        </div>
        <div>
          <dt>{S.facts.token}</dt>
          <dd class="mono tiny">{token.address}</dd>
        </div>
      </dl>
    </Dialog>
  )
}

const AMOUNT_WORDS = {
  deposit: { title: S.depositTitle, consequence: S.depositConsequence, button: S.deposit, done: S.depositDone },
  withdraw: { title: S.withdrawTitle, consequence: S.withdrawConsequence, button: S.withdraw, done: S.withdrawDone },
} as const

function AmountStep({ verb, channel, onClose, onStep, onChanged }: StepProps & { verb: 'deposit' | 'withdraw' }) {
  const { token } = channel
  const [amount, setAmount] = useState('')
  const [checked, setChecked] = useState(false)
  const words = AMOUNT_WORDS[verb]
  const units = typedUnits(amount, token.decimals)
  const isRight = units !== null && units > 0n
  const order = useAction(async () => {
    const args = { params: { id: channel.id }, body: { amount: typedDecimal(amount) ?? '' } }
    onChanged(verb === 'deposit' ? await call('depositToChannel', args) : await call('withdrawFromChannel', args))
    say(words.done)
    onStep('look')
  })
  return (
    <Dialog
      title={words.title}
      step={verb}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void order.run()
      }}
      foot={
        <>
          <Button onClick={() => onStep('look')}>{W.wordsBack}</Button>
          <Button kind="primary" submit busy={order.busy}>
            {words.button}
          </Button>
        </>
      }
    >
      <TextField
        kind="decimal"
        label={S.amount}
        unit={token.symbol}
        value={amount}
        onInput={setAmount}
        hint={verb === 'withdraw' ? S.withdrawMost(showMoney(unitsOf(channel.own.spendable), token)) : undefined}
        error={checked && !isRight ? S.amountWrong : order.at('amount')}
        autofocus
      />
      <p class="quiet">{words.consequence}</p>
      <Refused text={order.besides('amount')} />
    </Dialog>
  )
}

function CloseStep({ channel, blockSeconds, onClose, onStep, onChanged }: StepProps) {
  const canAgree = channel.actions.includes('close')
  const [how, setHow] = useState<'together' | 'alone'>(canAgree && channel.isConnected ? 'together' : 'alone')
  const close = useAction(async () => {
    onChanged(await call('closeChannel', { params: { id: channel.id }, body: { force: how === 'alone' } }))
    say(S.closeDone)
    onStep('look')
  })
  const alone = { value: 'alone' as const, label: S.closeAlone, hint: S.closeAloneHint(channel.settleTimeoutBlocks, blockSeconds) }
  const together = { value: 'together' as const, label: S.closeTogether, hint: S.closeTogetherHint }
  return (
    <Dialog
      title={S.closeTitle}
      step="close"
      onClose={onClose}
      foot={
        <>
          <Button onClick={() => onStep('look')}>{W.wordsBack}</Button>
          <Button kind="danger" busy={close.busy} onClick={() => void close.run()}>
            {S.closeButton}
          </Button>
        </>
      }
    >
      <Choices legend={S.closeHow} value={how} onInput={setHow} options={canAgree ? [together, alone] : [alone]} />
      <p>{S.closeKeeps(showMoney(unitsOf(channel.own.spendable) + unitsOf(channel.own.locked), channel.token))}</p>
      <Refused text={close.besides()} />
    </Dialog>
  )
}
