/** A new channel: with whom, how much, and what becomes of that money. */
import { useState } from 'preact/hooks'
import type { PhotonTokenJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, typedDecimal, typedUnits } from '../money.ts'
import * as W from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Choices, SelectField, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import * as S from './channel-strings.ts'

const ACCOUNT = /^0x[0-9a-fA-F]{40}$/

export interface TokenChoice {
  readonly tokens: readonly PhotonTokenJson[]
  readonly value: string
  readonly onInput: (address: string) => void
  readonly error: string | null
}

/** Nothing to choose where there is one; where none was named it is given by its address. */
export function TokenField({ tokens, value, onInput, error }: TokenChoice) {
  if (tokens.length === 1) return null
  if (tokens.length === 0) return <TextField label={S.tokenAddress} hint={S.tokenUnnamed} value={value} onInput={onInput} placeholder={S.account0x} maxLength={60} error={error} />
  return <SelectField label={S.chosenToken} value={value} onInput={onInput} error={error} options={tokens.map((one) => ({ value: one.address, label: one.symbol }))} />
}

/** Of a token that nobody named amounts are smallest units. */
export function tokenOf(tokens: readonly PhotonTokenJson[], address: string): PhotonTokenJson | undefined {
  return tokens.find((one) => one.address === address) ?? (isAccount(address) ? { address: address.trim(), symbol: S.smallestUnits, decimals: 0 } : undefined)
}

export function isAccount(text: string): boolean {
  return ACCOUNT.test(text.trim())
}

export function OpenChannelDialog({ tokens, onClose, onDone }: { tokens: readonly PhotonTokenJson[]; onClose: () => void; onDone: () => void }) {
  const [partner, setPartner] = useState('')
  const [address, setAddress] = useState(tokens[0]?.address ?? '')
  const [amount, setAmount] = useState('')
  const [role, setRole] = useState<'leaf' | 'core'>('leaf')
  const [checked, setChecked] = useState(false)
  const token = tokenOf(tokens, address)
  const units = token === undefined ? null : typedUnits(amount, token.decimals)
  const isRight = units !== null && units > 0n && isAccount(partner)
  const sum = token === undefined || units === null || units === 0n ? null : showMoney(units, token)
  const open = useAction(async () => {
    await call('openChannel', { body: { partner: partner.trim(), amount: typedDecimal(amount) ?? '', role, ...(token === undefined ? {} : { token: token.address }) } })
    say(S.openDone)
    onDone()
  })
  return (
    <Dialog
      title={S.openTitle}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void open.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="primary" submit busy={open.busy}>
            {S.openButton(sum)}
          </Button>
        </>
      }
    >
      <TextField label={S.openPartner} value={partner} onInput={setPartner} placeholder={S.account0x} maxLength={60} error={checked && !isAccount(partner) ? S.accountWrong : open.at('partner')} autofocus />
      <TokenField tokens={tokens} value={address} onInput={setAddress} error={checked && token === undefined ? S.accountWrong : open.at('token')} />
      <TextField
        kind="decimal"
        label={S.amount}
        unit={token?.symbol}
        value={amount}
        onInput={setAmount}
        error={checked && (units === null || units === 0n) ? S.amountWrong : open.at('amount')}
      />
      <Choices
        legend={S.openKind}
        shownLegend
        value={role}
        onInput={setRole}
        options={[
          { value: 'leaf', label: S.openLeaf, hint: S.openLeafHint },
          { value: 'core', label: S.openCore, hint: S.openCoreHint },
        ]}
      />
      <p class="quiet">{S.openConsequence(sum)}</p>
      <Refused text={tokens.length === 1 ? open.besides('partner', 'amount') : open.besides('partner', 'amount', 'token')} />
    </Dialog>
  )
}
