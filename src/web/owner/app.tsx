/** Which of the faces is shown: first run, sign-in, or the dashboard; and what lies over all of them. */
import { useEffect, useState } from 'preact/hooks'
import { ApiError, auth, call, enter } from './client.ts'
import { useCell } from './cell.ts'
import { connection } from './connection.ts'
import { Shell } from './shell.tsx'
import * as S from './strings.ts'
import { Button } from './ui/button.tsx'
import { ConnectionBanner } from './ui/connection-banner.tsx'
import { Mark } from './ui/icon.tsx'
import { Hidden, Refused, Toasts, say } from './ui/notice.tsx'
import { LockedDialog, LoginPage } from './views/login.tsx'
import { SetupGate } from './views/seldom.tsx'

export function App() {
  const { phase, login } = useCell(auth)
  const { lost } = useCell(connection)
  const [refused, setRefused] = useState<string | null>(null)
  const [tries, setTries] = useState(0)

  useEffect(() => {
    if (phase !== 'starting' || lost) return
    setRefused(null)
    call('loginState', {}).then(enter, (thrown: unknown) => {
      // a silent box raises the banner, and `lost` turning false comes back here
      if (thrown instanceof ApiError) setRefused(thrown.message)
    })
  }, [phase, lost, tries])

  useEffect(() => {
    let wasLost = connection.get().lost
    return connection.watch(() => {
      if (wasLost && !connection.get().lost) say(S.netBack)
      wasLost = connection.get().lost
    })
  }, [])

  return (
    <>
      {phase === 'starting' && <Starting refused={refused} onRetry={() => setTries(tries + 1)} />}
      {phase === 'login' && <LoginPage place={login?.name ?? ''} />}
      {phase === 'setup' && <SetupGate />}
      {(phase === 'in' || phase === 'locked') && <Shell place={login?.name ?? ''} />}
      {phase === 'locked' && <LockedDialog />}
      <Toasts />
    </>
  )
}

/** First paint, before the box answered; or why it will not let this browser in. */
function Starting({ refused, onRetry }: { refused: string | null; onRetry: () => void }) {
  return (
    <main class="gate-page">
      <ConnectionBanner />
      <div class="gate-card">
        <div class="brand" aria-busy={refused === null ? 'true' : undefined}>
          <Mark size={40} />
          {refused === null && <Hidden>{S.wordsLoading}</Hidden>}
        </div>
        <Refused text={refused} />
        {refused !== null && <Button onClick={onRetry}>{S.wordsTryAgain}</Button>}
      </div>
    </main>
  )
}
