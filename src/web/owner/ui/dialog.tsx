/**
 * A modal dialog: the browser's own <dialog>, which keeps the focus inside, closes on Escape and gives the
 * focus back to what opened it. On a phone it is a sheet from below.
 */
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import * as S from '../strings.ts'
import { IconButton } from './button.tsx'
import { Form } from './field.tsx'
import { Toasts } from './notice.tsx'

export interface DialogProps {
  readonly title: ComponentChildren
  /** Escape, the cross, a click beside it (not beside a form). Absent: the dialog cannot be waved away. */
  readonly onClose?: (() => void) | undefined
  /** Given: body and foot are one form. */
  readonly onSubmit?: (() => void) | undefined
  readonly foot?: ComponentChildren
  readonly wide?: boolean | undefined
  /** Only to be read: nothing in its body takes the focus, so the body does, and can be scrolled by keys. */
  readonly toRead?: boolean | undefined
  /** Another step of the same dialog: the heading gets the focus again. */
  readonly step?: string | undefined
  readonly children: ComponentChildren
}

export function Dialog({ title, onClose, onSubmit, foot, wide, toRead, step, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null)
  const head = useRef<HTMLHeadingElement>(null)
  const isGone = useRef(false)
  const titleId = useId()

  useLayoutEffect(() => {
    const opener = document.activeElement
    const dialog = box.current
    dialog?.showModal()
    return () => {
      isGone.current = true
      dialog?.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
      else document.querySelector<HTMLElement>('h1')?.focus()
    }
  }, [])

  useLayoutEffect(() => {
    const wanted = box.current?.querySelector<HTMLElement>('[autofocus]')
    ;(wanted ?? head.current)?.focus()
    box.current?.querySelector('.dialog-body')?.scrollTo(0, 0)
  }, [step])

  const inner = (
    <>
      <div class="dialog-body" tabIndex={toRead ? 0 : undefined}>
        {children}
      </div>
      {foot && <div class="dialog-foot">{foot}</div>}
    </>
  )
  return (
    <dialog
      ref={box}
      class={wide ? 'dialog-wide' : undefined}
      aria-labelledby={titleId}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.preventDefault() // before it becomes a `cancel`
        onClose?.()
      }}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onClose={() => {
        // a phone closes at the second back gesture whatever `cancel` said
        if (isGone.current) return
        if (onClose) onClose()
        else box.current?.showModal()
      }}
      onMouseDown={(event) => {
        if (event.target === box.current && !onSubmit) onClose?.() // a slip of the finger must not lose a half-filled form
      }}
    >
      <div class="dialog-head">
        <h2 id={titleId} ref={head} tabIndex={-1}>
          {title}
        </h2>
        {onClose && <IconButton icon="close" label={S.wordsClose} onClick={onClose} />}
      </div>
      {onSubmit ? (
        <Form class="dialog-form" onSubmit={onSubmit}>
          {inner}
        </Form>
      ) : (
        inner
      )}
      <Toasts />
    </dialog>
  )
}
