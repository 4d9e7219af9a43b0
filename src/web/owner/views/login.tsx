/** Signing in: as a page of its own, and as a prompt over a page whose login ended. */
import { useEffect, useState } from 'preact/hooks'
import { problemOf, type Problem } from '../action.ts'
import { ApiError, call, enter } from '../client.ts'
import { useSecond } from '../live.ts'
import * as S from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { ConnectionBanner } from '../ui/connection-banner.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Form, OwnerAsUser, TextField } from '../ui/field.tsx'
import { Mark } from '../ui/icon.tsx'
import { Notice, Refused, Said } from '../ui/notice.tsx'

/** What both faces share: the password, the try, and the wait after too many wrong ones. */
function useLogin() {
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [wrong, setWrong] = useState(false)
  const [openAt, setOpenAt] = useState(0)
  const now = useSecond(openAt > 0)
  const waitSeconds = Math.max(0, Math.ceil((openAt - now) / 1000))

  const submit = async (): Promise<void> => {
    if (busy || waitSeconds > 0) return
    setBusy(true)
    setProblem(null)
    setOpenAt(0)
    try {
      enter(await call('login', { body: { password, browserWallMs: Date.now() } }))
    } catch (thrown) {
      const objection = problemOf(thrown)
      setProblem(objection)
      setWrong(thrown instanceof ApiError && thrown.status === 401)
      if (objection.retryAfterSeconds !== null) setOpenAt(performance.now() + objection.retryAfterSeconds * 1000)
    }
    setBusy(false)
  }
  const isWait = problem?.retryAfterSeconds != null
  return {
    password,
    setPassword,
    busy: busy || waitSeconds > 0,
    submit,
    fieldError: problem !== null && wrong ? S.loginWrong : null,
    otherError: problem !== null && !wrong && !isWait ? (problem.objections[0]?.text ?? null) : null,
    wait: isWait ? (waitSeconds > 0 ? S.loginWait(waitSeconds) : S.loginWaitOver) : null,
    waiting: waitSeconds > 0,
    tooMany: isWait,
  }
}

function LoginFields({ login }: { login: ReturnType<typeof useLogin> }) {
  return (
    <>
      <OwnerAsUser />
      <TextField
        kind="password"
        label={S.loginPassword}
        value={login.password}
        onInput={login.setPassword}
        autocomplete="current-password"
        error={login.fieldError}
        autofocus
      />
      {/* spoken once when it appears, not at every second of the count-down */}
      <div role="status">{login.tooMany && <Notice level={login.waiting ? 'warn' : 'good'}>{<span aria-live="off">{login.wait}</span>}</Notice>}</div>
      <Refused text={login.otherError} />
    </>
  )
}

export function LoginPage({ place }: { place: string }) {
  const login = useLogin()
  useEffect(() => {
    document.title = S.title(S.loginButton, place)
  }, [place])
  return (
    <>
      <ConnectionBanner />
      <main class="gate-page">
        <div class="gate-card">
          <div class="brand gate-brand">
            <Mark size={44} />
          </div>
          <div class="stack-tight">
            <h1>{S.loginTitle}</h1>
            <p class="quiet">{S.loginLead(place)}</p>
          </div>
          <Form onSubmit={() => void login.submit()}>
            <LoginFields login={login} />
            <Button kind="primary" submit wide busy={login.busy}>
              {S.loginButton}
            </Button>
          </Form>
          <p class="quiet small">
            <Said text={S.loginForgot} />
          </p>
        </div>
      </main>
    </>
  )
}

export function LockedDialog() {
  const login = useLogin()
  return (
    <Dialog
      title={S.loginLockedTitle}
      onSubmit={() => void login.submit()}
      foot={
        <Button kind="primary" submit wide busy={login.busy}>
          {S.loginButton}
        </Button>
      }
    >
      <p class="quiet">{S.loginLockedLead}</p>
      <LoginFields login={login} />
    </Dialog>
  )
}
