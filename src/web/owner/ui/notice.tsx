/** What the page has to say: notices, skeletons, empty states, and short messages that go away. */
import type { ComponentChildren } from 'preact'
import { cell, useCell } from '../cell.ts'
import type { Live } from '../live.ts'
import * as S from '../strings.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

export function Notice(props: { level?: 'plain' | 'good' | 'warn' | 'bad'; children: ComponentChildren }) {
  const { level = 'plain', children } = props
  return (
    <div class={`notice notice-${level} appear`} role={level === 'bad' ? 'alert' : undefined}>
      <Icon name={level === 'good' ? 'check' : level === 'plain' ? 'info' : 'alert'} />
      <div>{children}</div>
    </div>
  )
}

/** Grey bars in the shape of what is coming. */
function Skeleton({ lines = 3, height = '20px' }: { lines?: number; height?: string }) {
  return (
    <div class="stack-tight" aria-busy="true">
      <Hidden>{S.wordsLoading}</Hidden>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} class="skeleton" style={{ height, width: index === lines - 1 && lines > 1 ? '62%' : '100%' }} />
      ))}
    </div>
  )
}

export function Empty(props: { icon: IconName; title: string; text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-mark">
        <Icon name={props.icon} size={26} />
      </span>
      <h2>{props.title}</h2>
      <p>{props.text}</p>
      {props.children}
    </div>
  )
}

/** What a request was refused for; nothing when it was not. */
export function Refused({ text }: { text: string | null }) {
  return text === null ? null : <Notice level="bad">{text}</Notice>
}

/** In place of data that is not here: grey bars while it comes, or why it does not and a button. */
export function Pending({ live, lines, height }: { live: Pick<Live<unknown>, 'error' | 'reload'>; lines: number; height: string }) {
  if (live.error === null) return <Skeleton lines={lines} height={height} />
  return (
    <div class="stack-tight">
      <Notice level="bad">{live.error}</Notice>
      <div>
        <Button onClick={() => void live.reload()}>{S.wordsTryAgain}</Button>
      </div>
    </div>
  )
}

/** Only for screen readers. */
export function Hidden({ children }: { children: ComponentChildren }) {
  return <span class="hidden-text">{children}</span>
}

/** A sentence of the box; what stands between `…` in it is a command. */
export function Said({ text }: { text: string }) {
  return <>{text.split('`').map((part, index) => (index % 2 === 1 ? <code class="mono">{part}</code> : part))}</>
}

const SHOWN_MS = 5_000
const toast = cell<{ id: number; text: string } | null>(null)
let lastId = 0

/** Shows and speaks a short message. */
export function say(text: string): void {
  const id = ++lastId
  toast.set({ id, text })
  setTimeout(() => {
    if (toast.get()?.id === id) toast.set(null)
  }, SHOWN_MS)
}

/** Always in the page, and in an open dialog, which silences the page: so screen readers hear what appears. */
export function Toasts() {
  const shown = useCell(toast)
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && (
        <div class="toast appear" key={shown.id}>
          <Icon name="check" />
          {shown.text}
        </div>
      )}
    </div>
  )
}
