/** Backup, support bundle, and the recovery words that are shown only once. */
import { useState } from 'preact/hooks'
import type { StatusJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { callForFile, pathOf } from '../client.ts'
import { saveFile } from '../save-file.ts'
import { S } from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Notice, say } from '../ui/notice.tsx'
import { WordsDialog } from './words-dialog.tsx'

export function CareCard({ status, onChanged }: { status: StatusJson; onChanged: () => void }) {
  const [wordsOpen, setWordsOpen] = useState(false)
  const backup = useAction(async () => {
    const { file, name } = await callForFile('backupDownload')
    saveFile(file, name)
    say(S.health.backupDone)
  })
  const { recoveryWordsShown } = status.setup
  return (
    <section class="card" aria-labelledby="care">
      <div class="card-head">
        <h2 id="care">{S.health.care}</h2>
      </div>
      <div class="lines">
        <div class="care">
          <div>
            <h3>{S.health.words}</h3>
            <p class="small quiet">{recoveryWordsShown ? S.health.wordsShown : S.health.wordsLead}</p>
          </div>
          {!recoveryWordsShown && (
            <Button icon="key" onClick={() => setWordsOpen(true)}>
              {S.health.wordsButton}
            </Button>
          )}
        </div>
        <div class="care">
          <div>
            <h3>{S.health.backup}</h3>
            <p class="small quiet">{S.health.backupLead}</p>
          </div>
          <Button icon="download" busy={backup.busy} onClick={() => void backup.run()}>
            {S.health.backupButton}
          </Button>
        </div>
        {backup.besides() && (
          <div class="card-pad">
            <Notice level="bad">{backup.besides()}</Notice>
          </div>
        )}
        <div class="care">
          <div>
            <h3>{S.health.bundle}</h3>
            <p class="small quiet">{S.health.bundleLead}</p>
          </div>
          <LinkButton icon="download" download href={pathOf('supportBundle', {})}>
            {S.health.bundleButton}
          </LinkButton>
        </div>
      </div>
      {wordsOpen && (
        <WordsDialog
          route="revealWords"
          title={S.health.wordsTitle}
          warning={S.health.wordsWarn}
          heading={S.health.wordsNow}
          isOnce
          onClose={() => {
            setWordsOpen(false)
            onChanged()
          }}
        />
      )}
    </section>
  )
}
