/** The box's own coins on the chain and its miner's deposit: what there is, and the owner's orders, each with what becomes of the money. */
import { useState } from 'preact/hooks'
import type { ChainPocJson, ChainPocOrder, ChainWalletJson, TokenJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { showMoney, typedDecimal, typedUnits, unitsOf } from '../money.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { OwnerAsUser, TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import * as S from './chain-strings.ts'

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
type PocState = NonNullable<ChainPocJson['state']>
/** What the contract would not refuse outright. */
const ORDERS: Readonly<Record<PocState, readonly ChainPocOrder[]>> = {
  'not-deposited': ['deposit'],
  withdrawn: ['deposit'],
  waiting: ['stop', 'withdraw'],
  picked: ['stop', 'withdraw'],
  active: ['stop', 'withdraw'],
  missed: ['stop', 'withdraw'],
  stopped: ['start', 'withdraw'],
  locked: ['withdraw'],
  'foreign-owner': [],
}

export function ordersOf({ state, wallet }: ChainPocJson): readonly ChainPocOrder[] {
  return state === null || wallet === null ? [] : ORDERS[state]
}

export interface MoneyProps {
  /** Null: not proved yet. */
  readonly wallet: ChainWalletJson | null
  /** Null: this box makes no blocks, or not asked yet. */
  readonly poc: ChainPocJson | null
  /** Why one of them is not there. */
  readonly problem: string | null
}

export function MoneyCard({ wallet, poc, problem }: MoneyProps) {
  return (
    <section class="card card-pad stack" aria-labelledby="chain-money">
      <h2 id="chain-money">{S.money}</h2>
      {wallet !== null && (
        <>
          <div>
            <p class="amount num">{showMoney(unitsOf(wallet.balance), wallet.token)}</p>
            <p class="mono tiny quiet">{wallet.address}</p>
          </div>
          <div class="row">
            <LinkButton small href={hrefOf('chain', 'send')}>
              {S.send}
            </LinkButton>
          </div>
        </>
      )}
      {wallet === null && <p class="small quiet">{problem ?? S.moneyNone}</p>}
      {poc !== null && <PocPart poc={poc} />}
    </section>
  )
}

function PocPart({ poc }: { poc: ChainPocJson }) {
  const { state, deposit, token, obstacle, action, wallet } = poc
  const orders = ordersOf(poc)
  return (
    <div class="stack-tight">
      <h3>{S.poc}</h3>
      <p>
        <span class="strong">{state === null ? S.pocUnknown : S.pocStates[state]}</span>
        {deposit !== null && unitsOf(deposit) > 0n && <span class="quiet num"> · {showMoney(unitsOf(deposit), token)}</span>}
      </p>
      <p class="small quiet">{wallet === null ? S.pocElsewhere : S.pocText}</p>
      {action !== null && action.outcome === null && <p class="small quiet">{S.pocUnderWay(action.kind)}</p>}
      {obstacle !== null && <p class="small warn-text">{obstacle}</p>}
      {orders.length > 0 && (
        <div class="row">
          {orders.map((order) => (
            <LinkButton key={order} small href={hrefOf('chain', `poc-${order}`)}>
              {S.pocOrders[order].title}
            </LinkButton>
          ))}
        </div>
      )}
    </div>
  )
}

export function PocDialog({ order, poc, onClose, onDone }: { order: ChainPocOrder; poc: ChainPocJson; onClose: () => void; onDone: () => void }) {
  const { title, consequence, done } = S.pocOrders[order]
  const { token, leastDeposit } = poc
  const run = useAction(async () => {
    await call('orderPoc', { body: { order } })
    say(done)
    onDone()
  })
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind={order === 'deposit' || order === 'start' ? 'primary' : 'danger'} busy={run.busy} onClick={() => void run.run()}>
            {title}
          </Button>
        </>
      }
    >
      {order === 'deposit' && leastDeposit !== null && (
        <div class="collect">
          <span>{S.poc}</span>
          <span class="collect-sum num">{showMoney(unitsOf(leastDeposit), token)}</span>
        </div>
      )}
      <p>{consequence}</p>
      <p class="small quiet">{S.pocPays}</p>
      <Refused text={run.besides()} />
    </Dialog>
  )
}

export function SendDialog({ wallet, onClose, onDone }: { wallet: ChainWalletJson; onClose: () => void; onDone: () => void }) {
  const { token, balance } = wallet
  const [to, setTo] = useState('')
  const [amount, setAmount] = useState('')
  const [password, setPassword] = useState('')
  const [checked, setChecked] = useState(false)
  const units = typedUnits(amount, token.decimals)
  const isAddress = ADDRESS.test(to.trim())
  const isRight = units !== null && units > 0n && isAddress && password !== ''
  const send = useAction(async () => {
    const sent = await call('sendCoinsConfirmed', { body: { to: to.trim(), amount: typedDecimal(amount) ?? '', password } })
    setPassword('')
    say(S.sent(showMoney(unitsOf(sent.amount), token)))
    onDone()
  })
  return (
    <Dialog
      title={S.sendTitle}
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        if (isRight) void send.run()
      }}
      foot={
        <>
          <Button onClick={onClose}>{W.wordsCancel}</Button>
          <Button kind="danger" submit busy={send.busy}>
            {S.sendButton(sumText(units, token))}
          </Button>
        </>
      }
    >
      <TextField label={S.sendTo} value={to} onInput={setTo} placeholder={S.address0x} maxLength={60} error={checked && !isAddress ? S.addressWrong : send.at('to')} autofocus />
      <TextField
        kind="decimal"
        label={S.amount}
        unit={token.symbol}
        value={amount}
        onInput={setAmount}
        hint={S.sendMost(showMoney(unitsOf(balance), token))}
        error={checked && (units === null || units === 0n) ? S.amountWrong : send.at('amount')}
      />
      <OwnerAsUser />
      <TextField kind="password" label={W.healthWordsPassword} value={password} onInput={setPassword} autocomplete="current-password" error={checked && password === '' ? S.passwordWrong : send.at('password')} />
      <p class="quiet">{S.sendRule}</p>
      <Refused text={send.besides('to', 'amount', 'password')} />
    </Dialog>
  )
}

function sumText(units: bigint | null, token: TokenJson): string | null {
  return units === null || units === 0n ? null : showMoney(units, token)
}
