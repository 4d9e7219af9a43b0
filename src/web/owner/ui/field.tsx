/** Form fields. The label, the hint and the box's objection are tied to the control for screen readers. */
import type { ComponentChildren, TargetedSubmitEvent } from 'preact'
import { useId, useState } from 'preact/hooks'
import * as S from '../strings.ts'
import { Icon } from './icon.tsx'
import { Hidden } from './notice.tsx'

interface FieldProps {
  readonly label: string
  readonly hint?: ComponentChildren
  readonly error?: string | null | undefined
}

interface Wiring {
  readonly id: string
  readonly describedBy: string | undefined
  readonly bad: boolean
}

function Field(props: FieldProps & { children: (wiring: Wiring) => ComponentChildren }) {
  const { label, hint, error, children } = props
  const id = useId()
  const bad = error !== undefined && error !== null && error !== ''
  const describedBy = [hint ? `${id}-hint` : '', bad ? `${id}-error` : ''].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {children({ id, describedBy: describedBy === '' ? undefined : describedBy, bad })}
      {bad && <FieldError id={`${id}-error`} text={error} />}
      {hint && (
        <div class="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  )
}

export function FieldError({ id, text }: { id?: string | undefined; text: string }) {
  return (
    <p class="field-error" id={id}>
      <Icon name="alert" size={16} />
      <span>{text}</span>
    </p>
  )
}

export interface TextFieldProps extends FieldProps {
  readonly value: string
  readonly onInput: (value: string) => void
  readonly kind?: 'text' | 'number' | 'decimal' | 'password' | 'date' | 'time' | undefined
  readonly unit?: string | undefined
  readonly before?: string | undefined
  readonly placeholder?: string | undefined
  readonly autocomplete?: string | undefined
  readonly maxLength?: number | undefined
  readonly min?: string | undefined
  readonly autofocus?: boolean | undefined
  readonly code?: boolean | undefined
}

const INPUT_TYPE = { text: 'text', number: 'text', decimal: 'text', password: 'password', date: 'date', time: 'time' } as const
const INPUT_MODE = { number: 'numeric', decimal: 'decimal' } as const

export function TextField(props: TextFieldProps) {
  const { kind = 'text', value, onInput, unit, before, code } = props
  const [shown, setShown] = useState(false)
  return (
    <Field {...props}>
      {({ id, describedBy, bad }) => (
        <div class={`input${bad ? ' input-bad' : ''}`}>
          {before && <span class="input-unit input-before">{before}</span>}
          <input
            id={id}
            class={code ? 'mono upper' : undefined}
            type={(shown ? 'text' : INPUT_TYPE[kind]) as 'text'} // the attribute types are a union with one member a type
            inputMode={kind === 'number' || kind === 'decimal' ? INPUT_MODE[kind] : undefined}
            value={value}
            onInput={(event) => onInput(event.currentTarget.value)}
            placeholder={props.placeholder}
            autoComplete={props.autocomplete ?? 'off'}
            autoCapitalize={code ? 'characters' : undefined}
            spellcheck={kind === 'text' && !code ? undefined : false}
            maxLength={props.maxLength}
            min={props.min}
            autofocus={props.autofocus}
            aria-describedby={describedBy}
            aria-invalid={bad ? 'true' : undefined}
          />
          {unit && <span class="input-unit">{unit}</span>}
          {kind === 'password' && (
            <button type="button" class="input-button" aria-pressed={shown} onClick={() => setShown(!shown)}>
              {shown ? S.wordsHide : S.wordsShow}
              <Hidden> {props.label}</Hidden>
            </button>
          )}
        </div>
      )}
    </Field>
  )
}

interface TextAreaProps extends FieldProps {
  readonly value: string
  readonly onInput: (value: string) => void
  readonly rows: number
  readonly maxLength: number
  readonly placeholder: string
  readonly autofocus?: boolean | undefined
  /** Given: the text may also be chosen as a file. */
  readonly fileLabel?: string | undefined
}

/** What is pasted: codes and certificates. */
export function TextArea(props: TextAreaProps) {
  const { onInput, maxLength, fileLabel } = props
  return (
    <Field {...props}>
      {({ id, describedBy, bad }) => (
        <>
          <div class={`input${bad ? ' input-bad' : ''}`}>
            <textarea
              id={id}
              class="mono"
              rows={props.rows}
              value={props.value}
              maxLength={maxLength}
              placeholder={props.placeholder}
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              autofocus={props.autofocus}
              aria-describedby={describedBy}
              aria-invalid={bad ? 'true' : undefined}
              onInput={(event) => onInput(event.currentTarget.value)}
            />
          </div>
          {fileLabel && (
            <input
              type="file"
              class="small field-file"
              aria-label={fileLabel}
              // A longer one is cut where the box refuses it anyway.
              onChange={(event) => void event.currentTarget.files?.[0]?.slice(0, maxLength + 1).text().then(onInput)}
            />
          )}
        </>
      )}
    </Field>
  )
}

export interface SelectFieldProps extends FieldProps {
  readonly value: string
  readonly onInput: (value: string) => void
  readonly options: readonly { readonly value: string; readonly label: string }[]
}

export function SelectField(props: SelectFieldProps) {
  return (
    <Field {...props}>
      {({ id, describedBy, bad }) => (
        <div class={`input input-select${bad ? ' input-bad' : ''}`}>
          <select
            id={id}
            value={props.value}
            onChange={(event) => props.onInput(event.currentTarget.value)}
            aria-describedby={describedBy}
            aria-invalid={bad ? 'true' : undefined}
          >
            {props.options.map((option) => (
              <option key={option.value} value={option.value} selected={option.value === props.value}>
                {option.label}
              </option>
            ))}
          </select>
          <Icon name="down" size={18} />
        </div>
      )}
    </Field>
  )
}

export function Switch(props: { label: string; hint?: string | undefined; checked: boolean; onInput: (checked: boolean) => void }) {
  const id = useId()
  return (
    <label class="switch" for={id}>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={props.checked}
        onChange={(event) => props.onInput(event.currentTarget.checked)}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
      />
      <span class="switch-text">
        <span class="field-label">{props.label}</span>
        {props.hint && (
          <span class="field-hint" id={`${id}-hint`}>
            {props.hint}
          </span>
        )}
      </span>
    </label>
  )
}

export interface Option<V extends string> {
  readonly value: V
  readonly label: ComponentChildren
  readonly hint?: ComponentChildren
  readonly aside?: ComponentChildren
}

interface OneOfProps<V extends string> {
  readonly legend: string
  readonly value: V
  readonly options: readonly Option<V>[]
  readonly onInput: (value: V) => void
}

/** One of a few, in a row: filters and small modes. */
export function Tabs<V extends string>({ legend, value, options, onInput }: OneOfProps<V>) {
  const name = useId()
  return (
    <fieldset>
      <legend class="hidden-text">{legend}</legend>
      <div class="tabs">
        {options.map((option) => (
          <label key={option.value}>
            <input type="radio" name={name} checked={option.value === value} onChange={() => onInput(option.value)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

/** One of a few, as cards; `layout` says how they lie. */
export function Choices<V extends string>(
  props: OneOfProps<V> & { layout?: 'list' | 'grid' | 'chips' | undefined; error?: string | null | undefined; shownLegend?: boolean | undefined },
) {
  const { legend, value, options, onInput, layout = 'list', error, shownLegend = false } = props
  const name = useId()
  const group = { list: 'choices', grid: 'choices choices-2', chips: 'chips' }[layout]
  return (
    <fieldset class="stack-tight" aria-describedby={error ? `${name}-error` : undefined}>
      <legend class={shownLegend ? 'field-label legend' : 'hidden-text'}>{legend}</legend>
      <div class={group}>
        {options.map((option) => (
          <label key={option.value} class="choice">
            <input type="radio" name={name} checked={option.value === value} onChange={() => onInput(option.value)} />
            <span>
              <span class="choice-mark">
                <Icon name="check" size={14} />
              </span>
              <span class="choice-text">
                <span>{option.label}</span>
                {option.hint && <span class="quiet small">{option.hint}</span>}
              </span>
              {option.aside && <span class="choice-price num">{option.aside}</span>}
            </span>
          </label>
        ))}
      </div>
      {error && <FieldError id={`${name}-error`} text={error} />}
    </fieldset>
  )
}

/** Ties text fields to a draft: `{...field('label')}` gives value, onInput and error. */
export function fieldsOf<D>(draft: D, edit: (part: Partial<D>) => void, objectionTo: (field: keyof D & string) => string | null | undefined) {
  return <K extends keyof D & string>(field: K) => ({
    value: draft[field] as D[K] & string,
    onInput: (value: string) => edit({ [field]: value } as Partial<D>),
    error: objectionTo(field),
  })
}

/** Tells a password manager whose password this is: the box has only one owner. */
export function OwnerAsUser() {
  return <input type="text" hidden autoComplete="username" value="owner" />
}

/** A form that never reloads the page. */
export function Form(props: { onSubmit: () => void; children: ComponentChildren; class?: string; id?: string }) {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    props.onSubmit()
  }
  return (
    <form class={props.class ?? 'stack'} id={props.id} noValidate onSubmit={submit}>
      {props.children}
    </form>
  )
}
