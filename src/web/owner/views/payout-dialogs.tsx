/** Paying somebody now, and writing down that he was paid by hand. */
import { useState } from 'preact/hooks'
import type { PayoutPartyJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { nameOf } from './payout-parts.tsx'
import * as S from './payout-strings.ts'

const MAX_MEMO = 200

export interface PayoutDialogProps {
  readonly party: PayoutPartyJson
  readonly onClose: () => void
  readonly onDone: () => void
}

export function PayNowDialog({ party, onClose, onDone }: PayoutDialogProps) {
  const { account, token, address } = party
  const sum = showMoney(unitsOf(party.owed), token)
  const pay = useAction(async () => {
    await call('payPayout', { body: { account, token: token.symbol } })
    say(S.payDone)
    onDone()
  })
  return (
    <Dialog
      title={S.payTitle(nameOf(account))}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" busy={pay.busy} onClick={() => void pay.run()}>
            {S.payButton(sum)}
          </Button>
        </>
      }
    >
      <div class="collect">
        <span>{S.owed}</span>
        <span class="collect-sum num">{sum}</span>
      </div>
      <p class="small">
        {S.payTo} <span class="mono tiny">{address}</span>
      </p>
      <p class="quiet">{S.payRule}</p>
      <Refused text={pay.besides()} />
    </Dialog>
  )
}

export function NoteDialog({ party, onClose, onDone }: PayoutDialogProps) {
  const { account, token } = party
  const [amount, setAmount] = useState('')
  const [memo, setMemo] = useState('')
  const [checked, setChecked] = useState(false)
  const owed = unitsOf(party.owed)
  const units = typedUnits(amount, token.decimals)
  const isRight = units !== null && units > 0n && units <= owed
  const note = useAction(async () => {
    await call('notePayout', { body: { account, token: token.symbol, amount: typedDecimal(amount) ?? '', ...(memo.trim() === '' ? {} : { memo: memo.trim() }) } })
    say(S.noteDone)
    onDone()
  })
  return (
    <Dialog
      title={S.noteTitle(nameOf(account))}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void note.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={note.busy}>
            {S.noteButton}
          </Button>
        </>
      }
    >
      <div class="collect">
        <span>{S.owed}</span>
        <span class="collect-sum num">{showMoney(owed, token)}</span>
      </div>
      <TextField kind="decimal" label={S.noteAmount} unit={token.symbol} value={amount} onInput={setAmount} error={checked && !isRight ? S.noteWrong(showMoney(owed, token)) : note.at('amount')} autofocus />
      <TextField label={S.noteMemo} value={memo} onInput={setMemo} maxLength={MAX_MEMO} error={note.at('memo')} />
      <p class="quiet">{S.noteRule}</p>
      <Refused text={note.besides('amount', 'memo')} />
    </Dialog>
  )
}
