/** Which of the faces is shown: first run, sign-in, or the dashboard; and what lies over all of them. */
import { useEffect } from 'preact/hooks'
import { auth, call, enter } from './client.ts'
import { useCell } from './cell.ts'
import { connection } from './connection.ts'
import { Shell } from './shell.tsx'
import * as S from './strings.ts'
import { ConnectionBanner } from './ui/connection-banner.tsx'
import { Mark } from './ui/icon.tsx'
import { Hidden, Toasts, say } from './ui/notice.tsx'
import { LockedDialog, LoginPage } from './views/login.tsx'
import { SetupPage } from './views/setup.tsx'

export function App() {
  const { phase, login } = useCell(auth)
  const { lost } = useCell(connection)

  useEffect(() => {
    if (phase !== 'starting' || lost) return
    // a silent box raises the banner; `lost` turning false comes back here
    call('loginState', {}).then(enter, () => undefined)
  }, [phase, lost])

  useEffect(() => {
    let wasLost = connection.get().lost
    return connection.watch(() => {
      if (wasLost && !connection.get().lost) say(S.netBack)
      wasLost = connection.get().lost
    })
  }, [])

  return (
    <>
      {phase === 'starting' && <Starting />}
      {phase === 'login' && <LoginPage place={login?.name ?? ''} />}
      {phase === 'setup' && <SetupPage />}
      {(phase === 'in' || phase === 'locked') && <Shell place={login?.name ?? ''} />}
      {phase === 'locked' && <LockedDialog />}
      <Toasts />
    </>
  )
}

/** First paint, before the box answered. */
function Starting() {
  return (
    <main class="gate-page">
      <ConnectionBanner />
      <div class="brand" aria-busy="true">
        <Mark size={40} />
        <Hidden>{S.wordsLoading}</Hidden>
      </div>
    </main>
  )
}
