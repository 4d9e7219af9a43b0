/** How a page begins, what it is while it waits for its first data, and its two columns. */
import type { ComponentChildren } from 'preact'
import type { Live } from '../live.ts'
import { Pending } from './notice.tsx'

/** @param children what can be done here: at the end of the line, or below on a phone. */
export function PageHead({ title, lead, children }: { title: string; lead?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="page-head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p>{lead}</p>}
      </div>
      {children}
    </div>
  )
}

export function WaitingPage({ title, live }: { title: string; live: Pick<Live<unknown>, 'error' | 'reload'> }) {
  return (
    <div class="page">
      <h1 tabIndex={-1}>{title}</h1>
      <div class="card card-pad">
        <Pending live={live} lines={8} height="36px" />
      </div>
    </div>
  )
}

/** Beside each other where there is room, else one below the other. */
export function Columns({ main, side, isEven = false }: { main: ComponentChildren; side: ComponentChildren; isEven?: boolean }) {
  return (
    <div class={isEven ? 'columns columns-even' : 'columns'}>
      <div class="stack gap-page">{main}</div>
      <div class="stack gap-page">{side}</div>
    </div>
  )
}
