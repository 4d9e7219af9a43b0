/** Buttons and links that look like buttons. A busy button keeps its place and its focus and ignores clicks. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import * as S from '../strings.ts'
import { Icon, type IconName } from './icon.tsx'

interface Look {
  readonly kind?: 'primary' | 'plain' | 'quiet' | 'danger' | 'danger-plain' | undefined
  readonly icon?: IconName | undefined
  readonly small?: boolean | undefined
  readonly wide?: boolean | undefined
  readonly children?: ComponentChildren
}

function classOf({ kind = 'plain', small, wide }: Look, extra = ''): string {
  return `button button-${kind}${small ? ' button-small' : ''}${wide ? ' button-wide' : ''}${extra}`
}

export interface ButtonProps extends Look {
  readonly onClick?: (() => void) | undefined
  readonly submit?: boolean | undefined
  readonly busy?: boolean | undefined
  readonly expanded?: boolean | undefined
  readonly pressed?: boolean | undefined
}

export function Button(props: ButtonProps) {
  const { busy = false, onClick, submit, icon, small, children } = props
  return (
    <button
      type={submit ? 'submit' : 'button'}
      class={classOf(props)}
      aria-disabled={busy ? 'true' : undefined}
      aria-busy={busy ? 'true' : undefined}
      aria-expanded={props.expanded}
      aria-pressed={props.pressed}
      onClick={(event) => {
        if (busy) event.preventDefault()
        else onClick?.()
      }}
    >
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} size={small ? 18 : 20} />}
      {children}
    </button>
  )
}

/** Only a picture to see; `label` is its name. */
export function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="button button-quiet button-icon" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  )
}

/** Takes something away for good: asks once more in its own place. */
export function RemoveButton({ busy, onRemove }: { busy: boolean; onRemove: () => void }) {
  const [sure, setSure] = useState(false)
  return (
    <span class="foot-left">
      <Button kind={sure ? 'danger' : 'danger-plain'} icon="trash" busy={busy} onClick={sure ? onRemove : () => setSure(true)}>
        {sure ? S.wordsRemoveSure : S.wordsRemove}
      </Button>
    </span>
  )
}

export interface LinkButtonProps extends Look {
  readonly href: string
  /** Opens beside the dashboard, e.g. a sheet to print. */
  readonly newTab?: boolean | undefined
  readonly download?: boolean | undefined
}

export function LinkButton(props: LinkButtonProps) {
  const { href, icon, newTab, download, small, children } = props
  return (
    <a
      class={classOf(props)}
      href={href}
      target={newTab ? '_blank' : undefined}
      rel={newTab ? 'noopener' : undefined}
      download={download ? '' : undefined}
    >
      {icon && <Icon name={icon} size={small ? 18 : 20} />}
      {children}
    </a>
  )
}
