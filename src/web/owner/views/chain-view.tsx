/** The chain page, alive: asked again while it is shown, and the owner's word after an alarm. */
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { useLive } from '../live.ts'
import { Pending } from '../ui/notice.tsx'
import { ChainPage } from './chain.tsx'
import * as S from './chain-strings.ts'

const EVERY_MS = 3_000

export function ChainView() {
  const live = useLive('chain', () => call('chain', {}), EVERY_MS)
  const looked = useAction(async () => {
    await call('clearChainAlarm', {})
    await live.reload()
  })
  if (live.data) return <ChainPage view={live.data} onLooked={() => void looked.run()} looking={looked.busy} refused={looked.besides()} />
  return (
    <div class="page">
      <h1 tabIndex={-1}>{S.title}</h1>
      <div class="card card-pad">
        <Pending live={live} lines={8} height="36px" />
      </div>
    </div>
  )
}
