/** The first-run wizard: five short steps, one request at the end, and the way to the first sheet of vouchers. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LoginState, ReloadReportJson, SetupForm } from '../../../owner/api.ts'
import { problemOf, type Problem } from '../action.ts'
import { auth, call, enter } from '../client.ts'
import { go } from '../router.ts'
import * as S from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { ConnectionBanner } from '../ui/connection-banner.tsx'
import { Form } from '../ui/field.tsx'
import { Icon, Mark } from '../ui/icon.tsx'
import { newPasswordProblem } from '../ui/new-password.tsx'
import { Notice, Pending, Refused } from '../ui/notice.tsx'
import { minutesOf, type SetupDraft } from './setup-draft.ts'
import { NetworkStep, PackagesStep, PasswordStep, PlaceStep, PriceStep } from './setup-steps.tsx'

const STEPS = [PlaceStep, PriceStep, PackagesStep, NetworkStep, PasswordStep]
/** Which step holds the field the box objects to. */
const STEP_OF: Readonly<Record<string, number>> = { setupCode: 0, name: 0, minutesPerToken: 1, pricePerMinute: 1, packages: 2, guestInterface: 3, password: 4 }

/** Can the owner go on from this step? */
function isComplete(step: number, draft: SetupDraft, form: SetupForm): boolean {
  switch (step) {
    case 0:
      return draft.name.trim() !== '' && draft.setupCode.trim() !== ''
    case 1:
      return !draft.sellsMinutes || minutesOf(draft) > 0
    case 4:
      return newPasswordProblem(draft.password, draft.repeat, form.passwordMinLength) === null
    default:
      return true
  }
}

export function SetupPage() {
  const form = useSetupForm()
  const [done, setDone] = useState<{ login: LoginState; reload: ReloadReportJson } | null>(null)
  useEffect(() => {
    document.title = S.title(S.setupTitle, S.product)
  }, [])
  return (
    <>
      <ConnectionBanner />
      <main class="gate-page">
        <div class="gate-card gate-card-wide">
          {!done && (
            <div class="brand gate-brand">
              <Mark size={36} />
              <span>{S.setupTitle}</span>
            </div>
          )}
          {!form.data && <Pending live={form} lines={6} height="40px" />}
          {form.data && !done && <Wizard form={form.data} onDone={(login, reload) => setDone({ login, reload })} />}
          {done && <Done {...done} />}
        </div>
      </main>
    </>
  )
}

/** The wizard's form is loaded before anybody is signed in, so it does not wait for a login. */
function useSetupForm() {
  const [data, setData] = useState<SetupForm | null>(null)
  const [error, setError] = useState<string | null>(null)
  const reload = async (): Promise<void> => {
    setError(null)
    try {
      setData(await call('setupForm', {}))
    } catch (thrown) {
      setError(problemOf(thrown).objections[0]?.text ?? '')
    }
  }
  useEffect(() => void reload(), [])
  return { data, error, reload }
}

function Wizard({ form, onDone }: { form: SetupForm; onDone: (login: LoginState, reload: ReloadReportJson) => void }) {
  const [draft, setDraft] = useState<SetupDraft>({
    name: form.name === S.product ? '' : form.name,
    setupCode: '',
    minutes: form.minutesPerToken ?? '10',
    sellsMinutes: true,
    packages: form.presets.find((one) => one.id !== 'keep')?.id ?? 'keep',
    guestInterface: form.guestInterface,
    password: '',
    repeat: '',
  })
  const [step, setStep] = useState(0)
  const [checked, setChecked] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | null>(null)
  const head = useRef<HTMLDivElement>(null)
  const objection = problem?.objections[0]

  useEffect(() => {
    window.scrollTo(0, 0)
    head.current?.querySelector<HTMLElement>('h1')?.focus()
  }, [step])

  const finish = async (): Promise<void> => {
    setBusy(true)
    setProblem(null)
    try {
      const { reload, ...login } = await call('setup', {
        body: {
          setupCode: draft.setupCode.trim(),
          name: draft.name.trim(),
          minutesPerToken: minutesOf(draft),
          guestInterface: draft.guestInterface,
          password: draft.password,
          packages: draft.sellsMinutes ? draft.packages : 'keep',
          browserWallMs: Date.now(),
        },
      })
      onDone(login, reload)
    } catch (thrown) {
      const refused = problemOf(thrown)
      setProblem(refused)
      const field = refused.objections[0]?.field
      const wanted = field === undefined || field === null ? undefined : STEP_OF[field]
      if (wanted !== undefined) setStep(wanted)
      if (refused.code === 'already-set-up') auth.set({ phase: 'starting', login: null })
    }
    setBusy(false)
  }
  const next = (): void => {
    setChecked(true)
    if (busy || !isComplete(step, draft, form)) return
    if (step === STEPS.length - 1) {
      void finish()
      return
    }
    setChecked(false)
    setStep(step + 1)
  }
  const Step = STEPS[step] ?? PlaceStep
  const at = (field: string): string | null => (objection?.field === field ? objection.text : null)
  const isShownAtField = objection?.field !== null && objection !== undefined && STEP_OF[objection.field] !== undefined

  return (
    <Form class="stack wizard" onSubmit={next}>
      <div class="wizard-steps" aria-hidden="true">
        {STEPS.map((_step, index) => (
          <i key={index} class={index <= step ? 'on' : undefined} />
        ))}
      </div>
      <p class="quiet small">{S.setupStep(step + 1, STEPS.length)}</p>
      <div class="stack wizard-step" ref={head} key={step}>
        <Step
          draft={draft}
          edit={(part) => {
            setDraft({ ...draft, ...part })
            setProblem(null)
          }}
          form={form}
          checked={checked}
          at={at}
        />
      </div>
      <Refused text={objection && !isShownAtField ? objection.text : null} />
      <div class="wizard-foot">
        {step > 0 && (
          <Button
            onClick={() => {
              setChecked(false)
              setStep(step - 1)
            }}
          >
            {S.wordsBack}
          </Button>
        )}
        <Button kind="primary" submit busy={busy}>
          {step === STEPS.length - 1 ? S.setupFinish : S.wordsNext}
        </Button>
      </div>
    </Form>
  )
}

function Done({ login, reload }: { login: LoginState; reload: ReloadReportJson }) {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => head.current?.focus(), [])
  const leave = (view: 'home' | 'vouchers' | 'mesh', id?: string): void => {
    go(view, id)
    enter(login)
  }
  return (
    <div class="stack done">
      <span class="done-mark" aria-hidden="true">
        <Icon name="check" size={34} />
      </span>
      <div class="stack-tight">
        <h1 tabIndex={-1} ref={head}>
          {S.setupDoneTitle(login.name)}
        </h1>
        <p class="quiet">{S.setupDoneLead}</p>
      </div>
      {reload.needsRestart.length > 0 && <Notice level="warn">{S.setupDoneRestart(reload.needsRestart.join(', '))}</Notice>}
      <Button kind="primary" wide icon="print" onClick={() => leave('vouchers', 'new')}>
        {S.setupDonePrint}
      </Button>
      <Button wide onClick={() => leave('home')}>
        {S.setupDoneHome}
      </Button>
      <Button kind="quiet" wide icon="mesh" onClick={() => leave('mesh', 'join')}>
        {S.setupDoneMesh}
      </Button>
      <p class="quiet small">{S.setupDoneWords}</p>
    </div>
  )
}
