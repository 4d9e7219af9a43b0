/** The payouts page, alive: asked again while it is shown; dialogs over it by the address. */
import { useState } from 'preact/hooks'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { useLive } from '../live.ts'
import { closeTo } from '../router.ts'
import { say } from '../ui/notice.tsx'
import { WaitingPage } from '../ui/page.tsx'
import { NoteDialog, PayNowDialog } from './payout-dialogs.tsx'
import { partyRoute } from './payout-parts.tsx'
import * as S from './payout-strings.ts'
import { PayoutsPage } from './payouts.tsx'

const EVERY_MS = 4_000
const PAGE = 10
const MOST = 200

export function PayoutsView({ id }: { id: string | null }) {
  const [limit, setLimit] = useState(PAGE)
  const live = useLive(`payouts/${limit}`, () => call('payouts', { query: { limit } }), EVERY_MS)
  const tryNow = useAction(async (payout: number) => {
    await call('resumePayout', { params: { id: String(payout) }, body: {} })
    say(S.payDone)
    await live.reload()
  })
  const leave = (): void => closeTo('payouts')
  const done = (): void => {
    leave()
    void live.reload()
  }
  const { data } = live
  if (data === null) return <WaitingPage title={S.title} live={live} />
  // One that is under way by now has nothing to be paid or noted.
  const waiting = data.parties.filter((party) => party.open === null)
  const paying = waiting.find((party) => id === partyRoute('pay', party))
  const noting = waiting.find((party) => id === partyRoute('note', party))
  return (
    <>
      <PayoutsPage
        parties={data.parties}
        milestones={data.milestones}
        payouts={data.payouts}
        onMore={data.nextBeforeId !== null && limit < MOST ? () => setLimit(Math.min(MOST, limit * 2)) : null}
        isBusy={tryNow.busy}
        onTry={(payout) => void tryNow.run(payout)}
        problem={live.error ?? tryNow.besides()}
      />
      {paying && <PayNowDialog party={paying} onClose={leave} onDone={done} />}
      {noting && <NoteDialog party={noting} onClose={leave} onDone={done} />}
    </>
  )
}
