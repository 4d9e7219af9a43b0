/** Secret words, for who types the password once more. They live in this dialog only and go with it. */
import { useState } from 'preact/hooks'
import { useAction } from '../action.ts'
import { call } from '../client.ts'
import * as S from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { OwnerAsUser, Switch, TextField } from '../ui/field.tsx'
import { Notice, Refused } from '../ui/notice.tsx'

interface WordsProps {
  readonly route: 'revealWords' | 'revealVoucherWords'
  readonly title: string
  readonly warning: string
  readonly heading: string
  /** Shown this one time: the dialog cannot be waved away before the owner says they are written down. */
  readonly isOnce: boolean
  readonly onClose: () => void
}

export function WordsDialog({ route, title, warning, heading, isOnce, onClose }: WordsProps) {
  const [password, setPassword] = useState('')
  const [words, setWords] = useState<readonly string[] | null>(null)
  const [written, setWritten] = useState(false)
  const reveal = useAction(async () => {
    const reply = await call(route, { body: { password } })
    setPassword('')
    setWords(reply.words)
  })

  if (words)
    return (
      <Dialog
        title={title}
        step="words"
        onClose={isOnce ? undefined : onClose}
        foot={
          isOnce ? (
            written && (
              <Button kind="primary" onClick={onClose}>
                {S.healthWordsClose}
              </Button>
            )
          ) : (
            <Button kind="primary" onClick={onClose}>
              {S.wordsDone}
            </Button>
          )
        }
      >
        <p class="strong">{heading}</p>
        <ol class="words">
          {words.map((word, index) => (
            <li key={word + String(index)}>
              <span class="quiet num" aria-hidden="true">
                {index + 1}
              </span>
              <span class="mono strong">{word}</span>
            </li>
          ))}
        </ol>
        {isOnce && (
          <>
            <Notice level="warn">{S.healthWordsOnce}</Notice>
            <Switch label={S.healthWordsWritten} checked={written} onInput={setWritten} />
          </>
        )}
      </Dialog>
    )

  return (
    <Dialog
      title={title}
      step="password"
      onClose={onClose}
      onSubmit={() => void reveal.run()}
      foot={
        <>
          <Button onClick={onClose}>{S.wordsCancel}</Button>
          <Button kind="primary" submit busy={reveal.busy}>
            {S.healthWordsReveal}
          </Button>
        </>
      }
    >
      <Notice level="warn">{warning}</Notice>
      <OwnerAsUser />
      <TextField
        kind="password"
        label={S.healthWordsPassword}
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
        error={reveal.at('password')}
        autofocus
      />
      <Refused text={reveal.besides('password')} />
    </Dialog>
  )
}
