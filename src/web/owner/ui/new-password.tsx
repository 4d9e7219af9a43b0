/** Choosing a password: twice the same, with a hint how good it is. */
import { passwordStrength } from '../password-strength.ts'
import * as S from '../strings.ts'
import { OwnerAsUser, TextField } from './field.tsx'
import { Hidden } from './notice.tsx'

interface NewPasswordProps {
  readonly label: string
  readonly least: number
  readonly value: string
  readonly repeat: string
  readonly onInput: (value: string) => void
  readonly onRepeat: (value: string) => void
  readonly checked: boolean
  readonly error: string | null
  readonly autofocus?: boolean
}

/** What is wrong with the two, or null. */
export function newPasswordProblem(value: string, repeat: string, least: number): 'short' | 'different' | null {
  if ([...value].length < least) return 'short'
  return value === repeat ? null : 'different'
}

export function NewPassword(props: NewPasswordProps) {
  const { label, least, value, repeat, checked, error } = props
  const level = passwordStrength(value, least)
  const problem = newPasswordProblem(value, repeat, least)
  const word = S.setupStrength[level] ?? ''
  return (
    <>
      <OwnerAsUser />
      <div class="stack-tight">
        <TextField
          kind="password"
          label={label}
          value={value}
          onInput={props.onInput}
          autocomplete="new-password"
          hint={S.setupPasswordHint(least)}
          error={checked && problem === 'short' ? S.setupTooShort(least) : error}
          autofocus={props.autofocus}
        />
        {value !== '' && (
          <div class={`strength strength-${level}`}>
            <span class="strength-bars" aria-hidden="true">
              {[1, 2, 3, 4].map((bar) => (
                <i key={bar} class={bar <= Math.max(1, level) ? 'on' : undefined} />
              ))}
            </span>
            <span class="small" role="status">
              <Hidden>{S.setupStrengthLabel}: </Hidden>
              {word}
            </span>
          </div>
        )}
      </div>
      <TextField
        kind="password"
        label={S.setupRepeat}
        value={repeat}
        onInput={props.onRepeat}
        autocomplete="new-password"
        error={checked && problem === 'different' ? S.setupRepeatWrong : null}
      />
    </>
  )
}
