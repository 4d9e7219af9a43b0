/** Backup, support bundle, and the recovery words that are shown only once. */
import { useState } from 'preact/hooks'
import type { StatusJson } from '../../../owner/api.ts'
import { useAction } from '../action.ts'
import { callForFile, pathOf } from '../client.ts'
import { saveFile } from '../save-file.ts'
import * as S from '../strings.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Refused, say } from '../ui/notice.tsx'
import { WordsDialog } from './words-dialog.tsx'

export function CareCard({ status, onChanged }: { status: StatusJson; onChanged: () => void }) {
  const [wordsOpen, setWordsOpen] = useState(false)
  const backup = useAction(async () => {
    const { file, name } = await callForFile('backupDownload')
    saveFile(file, name)
    say(S.healthBackupDone)
  })
  const { recoveryWordsShown } = status.setup
  return (
    <section class="card" aria-labelledby="care">
      <div class="card-head">
        <h2 id="care">{S.healthCare}</h2>
      </div>
      <div class="lines">
        <div class="care">
          <div>
            <h3>{S.healthWords}</h3>
            <p class="small quiet">{recoveryWordsShown ? S.healthWordsShown : S.healthWordsLead}</p>
          </div>
          {!recoveryWordsShown && (
            <Button icon="key" onClick={() => setWordsOpen(true)}>
              {S.healthWordsButton}
            </Button>
          )}
        </div>
        <div class="care">
          <div>
            <h3>{S.healthBackup}</h3>
            <p class="small quiet">{S.healthBackupLead}</p>
          </div>
          <Button icon="download" busy={backup.busy} onClick={() => void backup.run()}>
            {S.healthBackupButton}
          </Button>
        </div>
        <Refused text={backup.besides()} />
        <div class="care">
          <div>
            <h3>{S.healthBundle}</h3>
            <p class="small quiet">{S.healthBundleLead}</p>
          </div>
          <LinkButton icon="download" download href={pathOf('supportBundle', {})}>
            {S.healthBundleButton}
          </LinkButton>
        </div>
      </div>
      {wordsOpen && (
        <WordsDialog
          route="revealWords"
          title={S.healthWordsTitle}
          warning={S.healthWordsWarn}
          heading={S.healthWordsNow}
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
