/** Coins of the account into the token that channels hold, or back. */
import { useState } from 'preact/hooks'
import type { PhotonStatusJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import * as S from './channel-strings.ts'

export function CoinsDialog({ status, onClose, onDone }: { status: PhotonStatusJson; onClose: () => void; onDone: () => void }) {
  const { gas, gasToken, wrapped } = status
  const [way, setWay] = useState<'wrap' | 'unwrap'>('wrap')
  const [amount, setAmount] = useState('')
  const [checked, setChecked] = useState(false)
  const units = typedUnits(amount, gasToken.decimals)
  const isRight = units !== null && units > 0n
  const order = useAction(async () => {
    const args = { body: { amount: typedDecimal(amount) ?? '' } }
    await (way === 'wrap' ? call('wrapCoins', args) : call('unwrapCoins', args))
    say(S.coinsDone)
    onDone()
  })
  const there = way === 'wrap' ? gas : (wrapped?.balance ?? null)
  const symbol = wrapped?.token.symbol ?? gasToken.symbol
  return (
    <Dialog
      title={S.coinsTitle}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void order.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={order.busy}>
            {S.coinsButton[way]}
          </Button>
        </>
      }
    >
      <Choices
        legend={S.coinsTitle}
        value={way}
        onInput={setWay}
        options={[
          { value: 'wrap', label: S.coinsWrap, hint: S.coinsWrapHint(symbol) },
          { value: 'unwrap', label: S.coinsUnwrap, hint: S.coinsUnwrapHint },
        ]}
      />
      <TextField
        kind="decimal"
        label={S.amount}
        unit={way === 'wrap' ? gasToken.symbol : symbol}
        value={amount}
        onInput={setAmount}
        hint={there === null ? undefined : S.coinsThere(showMoney(unitsOf(there), way === 'wrap' || wrapped === null ? gasToken : wrapped.token))}
        error={checked && !isRight ? S.amountWrong : order.at('amount')}
        autofocus
      />
      <p class="quiet">{S.coinsConsequence}</p>
      <Refused text={order.besides('amount')} />
    </Dialog>
  )
}
