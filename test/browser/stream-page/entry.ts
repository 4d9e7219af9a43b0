/** The page of stream-page.test.ts: what the portal's own entry will do, payer and page put together. */
import { StreamPayer } from '../../../src/photon/stream/payer/index.ts'
import type { PayerView } from '../../../src/photon/stream/payer/index.ts'
import { PageStream, STREAMING, block, boxLink, browserTime, firstCounter, isTrustedPage, onVisibility, spendLimit, streamSigner } from '../../../src/web/stream/index.ts'

type Hex = `0x${string}`
interface Told {
  readonly secret: string
  readonly payee: Hex
  readonly contract: Hex
  readonly token: Hex
  readonly chainId: string
  readonly unit: string
  readonly allowed: string
  readonly burnerCap: string
  readonly blockMinutes: number
}

const told = JSON.parse(document.getElementById('told')?.textContent ?? '{}') as Told
const signer = streamSigner(Uint8Array.from(told.secret.match(/../g) ?? [], (pair) => parseInt(pair, 16)))
const unit = BigInt(told.unit)
const choice = told.blockMinutes > 0 ? block(told.blockMinutes) : STREAMING
const machine = new StreamPayer(
  {
    payer: signer.address,
    payee: told.payee,
    contract: { chainId: BigInt(told.chainId), contract: told.contract },
    token: told.token,
    master: signer.master,
    counter: firstCounter(),
    known: 0n,
    limits: { unit, total: spendLimit(BigInt(told.allowed), choice, { unit, tickSeconds: 1 }, isTrustedPage() ? null : BigInt(told.burnerCap)) },
  },
  signer,
)
const stream = new PageStream<PayerView>({
  machine,
  link: boxLink('/stream', browserTime),
  time: browserTime,
  isHidden: () => document.visibilityState === 'hidden',
  choice,
  show: (view) => {
    document.body.setAttribute('data-phase', view.phase)
    document.body.setAttribute('data-spent', view.spent.toString())
    document.body.setAttribute('data-ahead', String(view.aheadSeconds))
    document.body.setAttribute('data-end', JSON.stringify(view.end))
  },
})
onVisibility(() => stream.visibilityChanged())
document.getElementById('stop')?.addEventListener('click', () => stream.stop())
stream.start()
