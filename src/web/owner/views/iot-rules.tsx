/** What the box does by itself: rules as sentences, what they did, and one of them tried, changed and let loose. */
import { useState } from 'preact/hooks'
import type { IotRuleJson, IotRuleRunJson, IotRuleTrialJson, IotRulesJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import { hrefOf } from '../router.ts'
import * as W from '../strings.ts'
import { Button, RemoveButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { freeId } from './free-id.ts'
import { triesText } from './iot-radio.tsx'
import * as S from './iot-strings.ts'
import { whenText } from './iot-time.ts'

const SHOWN_RUNS = 6

/** As the box calls rules: `-` where the configuration has `_`. */
function freeRuleId(name: string, rules: readonly IotRuleJson[]): string {
  return freeId(name, rules.map(({ id }) => ({ id: id.replaceAll('-', '_') }))).replaceAll('_', '-')
}

function ruleState(rule: IotRuleJson): keyof typeof S.ruleState {
  return rule.isPaused ? 'paused' : rule.isLive ? 'live' : 'dry'
}

export function RulesCard({ rules, runs }: IotRulesJson) {
  return (
    <section class="card" aria-labelledby="iot-rules">
      <div class="card-head">
        <div>
          <h2 id="iot-rules">{S.rules}</h2>
          {rules.length === 0 && <p>{S.rulesNone}</p>}
        </div>
      </div>
      {rules.length > 0 && (
        <ul class="lines">
          {rules.map((rule) => (
            <li key={rule.id} class="iot-item line-link">
              <div class="row">
                <a class="cover" href={hrefOf('iot', `rule-${rule.id}`)}>
                  <bdi>{rule.name}</bdi>
                </a>
                <span class={`pill ${ruleState(rule) === 'live' ? 'pill-good' : ''}`}>
                  <span class={`dot${rule.isPaused ? ' dot-pause' : rule.isLive ? '' : ' dot-hollow'}`} aria-hidden="true" />
                  {S.ruleState[ruleState(rule)]}
                </span>
              </div>
              <p class="small quiet">{rule.text}</p>
              {rule.lastRun !== null && <p class="tiny quiet">{S.lastRun(whenText(rule.lastRun.at), rule.lastRun.because)}</p>}
            </li>
          ))}
        </ul>
      )}
      {runs.length > 0 && (
        <div class="iot-runs">
          <h3 class="iot-runs-head">{S.runsTitle}</h3>
          <ul class="lines">
            {runs.slice(0, SHOWN_RUNS).map((run, index) => (
              <RunLine key={index} run={run} name={rules.find(({ id }) => id === run.rule)?.name ?? run.rule} />
            ))}
          </ul>
        </div>
      )}
    </section>
  )
}

function RunLine({ run, name }: { run: IotRuleRunJson; name: string }) {
  const end = run.isDryRun ? S.dryRun : triesText(run.statuses)
  return (
    <li class="iot-frame">
      <span class="small">
        <bdi>{name}</bdi>: {run.because}
      </span>
      <span class="tiny quiet push">{[end, ...(run.offAt !== null && !run.isOff ? [S.isOnUntil] : []), whenText(run.at)].filter((part) => part !== '').join(' · ')}</span>
    </li>
  )
}

export interface RuleDialogProps {
  /** Null: a new one. */
  readonly rule: IotRuleJson | null
  readonly rules: readonly IotRuleJson[]
  readonly onClose: () => void
  readonly onChanged: () => void
}

export function RuleDialog({ rule, rules, onClose, onChanged }: RuleDialogProps) {
  const [name, setName] = useState(rule?.name ?? '')
  const [text, setText] = useState(rule?.text ?? '')
  const [trial, setTrial] = useState<IotRuleTrialJson | null>(null)
  const [checked, setChecked] = useState(false)
  const isRight = name.trim() !== '' && text.trim() !== ''
  const isUnchanged = rule !== null && rule.name === name.trim() && rule.text === text.trim()
  const put = useAction(async (change: Partial<Pick<IotRuleJson, 'isLive' | 'isPaused'>>) => {
    await call('putIotRule', { body: { id: rule?.id ?? freeRuleId(name, rules), name: name.trim(), text: text.trim(), isLive: change.isLive ?? rule?.isLive ?? false, isPaused: change.isPaused ?? rule?.isPaused ?? false } })
    say(S.saved)
    onChanged()
    onClose()
  })
  const tryIt = useAction(async () => setTrial(await call('tryIotRule', { body: { text: text.trim() } })))
  const remove = useAction(async () => {
    if (rule !== null) await call('removeIotRule', { params: { id: rule.id } })
    say(S.removed)
    onChanged()
    onClose()
  })
  return (
    <Dialog
      title={rule === null ? S.newRule : rule.name}
      step="rule"
      onClose={onClose}
      onSubmit={() => {
        setChecked(true)
        // What does something else than before has to be looked at as a dry run first.
        if (isRight) void put.run(rule !== null && rule.text !== text.trim() ? { isLive: false } : {})
      }}
      foot={
        <>
          {rule !== null && <RemoveButton busy={remove.busy} onRemove={() => void remove.run()} />}
          {rule !== null && isUnchanged && (
            <>
              <Button icon={rule.isPaused ? 'play' : 'pause'} onClick={() => void put.run({ isPaused: !rule.isPaused })}>
                {rule.isPaused ? S.ruleResume : S.rulePause}
              </Button>
              <Button kind={rule.isLive ? 'plain' : 'primary'} busy={put.busy} onClick={() => void put.run({ isLive: !rule.isLive })}>
                {rule.isLive ? S.goDry : S.goLive}
              </Button>
            </>
          )}
          {!isUnchanged && (
            <Button kind="primary" submit busy={put.busy}>
              {W.wordsSave}
            </Button>
          )}
        </>
      }
    >
      <TextField label={S.ruleName} value={name} onInput={setName} maxLength={80} error={checked && name.trim() === '' ? S.nameWrong : put.at('name')} autofocus={rule === null} />
      <TextField
        label={S.ruleText}
        hint={<span class="mono tiny">{S.ruleHint}</span>}
        value={text}
        onInput={(next) => {
          setText(next)
          setTrial(null)
        }}
        maxLength={2_000}
        error={checked && text.trim() === '' ? S.textWrong : (put.at('rule') ?? put.at('text') ?? tryIt.at('rule') ?? tryIt.at('text'))}
      />
      <div>
        <Button small icon="clock" busy={tryIt.busy} onClick={() => void (text.trim() === '' ? setChecked(true) : tryIt.run())}>
          {S.ruleTry}
        </Button>
      </div>
      {trial !== null && (
        <div class="stack-tight" role="status">
          <p>{S.ruleTried(trial.readings, trial.runs.length)}</p>
          <ul class="stack-tight small quiet">
            {trial.runs.slice(0, SHOWN_RUNS).map((run, index) => (
              <li key={index}>{S.lastRun(whenText(run.at), run.because)}</li>
            ))}
          </ul>
        </div>
      )}
      {rule?.isLive !== true && <p class="quiet small">{S.ruleDryHint}</p>}
      <Refused text={put.besides('name', 'rule', 'text') ?? tryIt.besides('rule', 'text') ?? remove.besides()} />
    </Dialog>
  )
}
