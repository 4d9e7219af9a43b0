/** The chain page, alive: asked again while it is shown; the owner's word after an alarm; dialogs over it by the address. */
import type { ChainPocOrder } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { useLive } from '../live.ts'
import { closeTo } from '../router.ts'
import { WaitingPage } from '../ui/page.tsx'
import { AdoptDialog } from './chain-branches.tsx'
import { PocDialog, SendDialog, ordersOf } from './chain-money.tsx'
import { ChainPage } from './chain.tsx'
import * as S from './chain-strings.ts'

const EVERY_MS = 3_000
const SLOW_MS = 10_000

export function ChainView({ id }: { id: string | null }) {
  const live = useLive('chain', () => call('chain', {}), EVERY_MS)
  const doesSeal = live.data?.sealer != null
  const hasAlarm = live.data?.alarm != null
  const wallet = useLive('chain/wallet', () => call('chainWallet', {}), SLOW_MS)
  const poc = useLive(`chain/poc/${doesSeal}`, async () => (doesSeal ? call('chainPoc', {}) : null), SLOW_MS)
  const branches = useLive(`chain/branches/${hasAlarm}`, async () => (hasAlarm ? call('chainBranches', {}) : null), SLOW_MS)
  const looked = useAction(async () => {
    await call('clearChainAlarm', {})
    await live.reload()
  })
  const leave = (): void => closeTo('chain')
  const done = (): void => {
    leave()
    void Promise.all([live, wallet, poc, branches].map((one) => one.reload()))
  }
  if (live.data === null)
    return <WaitingPage title={S.title} live={live} />
  const order = poc.data === null ? undefined : ordersOf(poc.data).find((one: ChainPocOrder) => id === `poc-${one}`)
  const branch = branches.data?.branches.find((one) => id === `take-${one.tip.hash}`)
  return (
    <>
      <ChainPage
        view={live.data}
        onLooked={() => void looked.run()}
        looking={looked.busy}
        refused={looked.besides()}
        money={{ wallet: wallet.data, poc: poc.data, problem: wallet.error ?? poc.error }}
        branches={branches.data}
      />
      {id === 'send' && wallet.data !== null && <SendDialog wallet={wallet.data} onClose={leave} onDone={done} />}
      {order !== undefined && poc.data !== null && <PocDialog order={order} poc={poc.data} onClose={leave} onDone={done} />}
      {branch !== undefined && <AdoptDialog branch={branch} onClose={leave} onDone={done} />}
    </>
  )
}
