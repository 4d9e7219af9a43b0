/** A payment over channels: whom and how much, then the way it would go and what that costs, then the payment. */
import { useState } from 'preact/hooks'
import type { PhotonPathsJson, PhotonTokenJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { shortAddress } from './chain-parts.tsx'
import * as S from './channel-strings.ts'
import { TokenField, isAccount, tokenOf } from './open-channel.tsx'

const MAX_NOTE = 80

/** A way that was found; one node: a channel with the receiver. */
type Way = PhotonPathsJson['paths'][number]

export function PayDialog({ tokens, onClose, onDone }: { tokens: readonly PhotonTokenJson[]; onClose: () => void; onDone: () => void }) {
  const [target, setTarget] = useState('')
  const [address, setAddress] = useState(tokens[0]?.address ?? '')
  const [amount, setAmount] = useState('')
  const [note, setNote] = useState('')
  const [direct, setDirect] = useState(false)
  const [checked, setChecked] = useState(false)
  const [noWay, setNoWay] = useState(false)
  const [way, setWay] = useState<Way | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const token = tokenOf(tokens, address)
  const units = token === undefined ? null : typedUnits(amount, token.decimals)
  const isRight = units !== null && units > 0n && isAccount(target)
  const sum = token === undefined || units === null ? '' : showMoney(units, token)
  const named = { target: target.trim(), amount: typedDecimal(amount) ?? '', ...(token === undefined ? {} : { token: token.address }) }

  const look = useAction(async () => {
    setNoWay(false)
    const { paths } = await call('photonPaths', { query: named })
    const found = paths.find((path) => !direct || path.nodes.length === 1)
    if (found) setWay(found)
    else setNoWay(true)
  })
  const pay = useAction(async () => {
    if (way === null) return
    setFailed(null)
    const { payment } = await call('pay', { body: { ...named, direct, maxFee: way.fee.text, ...(note === '' ? {} : { data: note }) } })
    if (payment?.state === 'failed' || payment?.state === 'cancelled') return setFailed(S.payFailed(payment.reason ?? S.paymentStates[payment.state]))
    say(payment?.state === 'done' ? S.payDone : S.payUnderWay)
    onDone()
  })

  if (way !== null && token !== undefined)
    return (
      <Dialog
        title={S.payTitle}
        step="confirm"
        onClose={onClose}
        foot={
          <>
            <Button
              onClick={() => {
                setWay(null)
                setFailed(null)
                pay.clear()
              }}
            >
              {W.wordsBack}
            </Button>
            <Button kind="primary" busy={pay.busy} onClick={() => void pay.run()}>
              {S.payButton(sum)}
            </Button>
          </>
        }
      >
        <div class="collect">
          <span>{S.paySum}</span>
          <span class="collect-sum num">{sum}</span>
        </div>
        <p class="mono tiny">{target.trim()}</p>
        <p>{S.payFee(showMoney(unitsOf(way.fee), token), way.nodes.length - 1)}</p>
        {way.nodes.length > 1 && <WayList nodes={way.nodes} />}
        <p class="quiet">{S.payRule}</p>
        <Refused text={failed ?? pay.besides()} />
      </Dialog>
    )
  return (
    <Dialog
      title={S.payTitle}
      step="form"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void look.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={look.busy}>
            {S.payLook}
          </Button>
        </>
      }
    >
      <TextField label={S.payTarget} value={target} onInput={setTarget} placeholder={S.account0x} maxLength={60} error={checked && !isAccount(target) ? S.accountWrong : look.at('target')} autofocus />
      <TokenField tokens={tokens} value={address} onInput={setAddress} error={checked && token === undefined ? S.accountWrong : look.at('token')} />
      <TextField
        kind="decimal"
        label={S.amount}
        unit={token?.symbol}
        value={amount}
        onInput={setAmount}
        error={checked && (units === null || units === 0n) ? S.amountWrong : look.at('amount')}
      />
      <TextField label={S.payNote} value={note} onInput={setNote} maxLength={MAX_NOTE} />
      <Switch label={S.payDirect} hint={S.payDirectHint} checked={direct} onInput={setDirect} />
      <Refused text={noWay ? S.payNoWay : tokens.length === 1 ? look.besides('target', 'amount') : look.besides('target', 'amount', 'token')} />
    </Dialog>
  )
}

/** Who carries it, in order, and who gets it. */
function WayList({ nodes }: { nodes: Way['nodes'] }) {
  return (
    <ol class="small" aria-label={S.payWay}>
      {nodes.map((node) => (
        <li key={node} class="mono tiny" title={node}>
          {shortAddress(node)}
        </li>
      ))}
    </ol>
  )
}
