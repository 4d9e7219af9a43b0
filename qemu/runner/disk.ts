/** The disk that keeps what a guest writes: a sparse ext4 image, and the check of it when the power is off. */
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { run } from '../../scripts/native/run.ts'

const OVERLAY_MEGABYTES = 256

/** An empty one; the guest lays it over its read-only root. */
export async function makeOverlay(file: string): Promise<void> {
  const handle = openSync(file, 'w')
  ftruncateSync(handle, OVERLAY_MEGABYTES * 1024 * 1024)
  closeSync(handle)
  await run('mkfs.ext4', ['-q', '-F', '-L', 'overlay', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=0', file], { ifMissing: 'install e2fsprogs' })
}

export interface DiskCheck {
  readonly isClean: boolean
  readonly report: string
}

/** e2fsck without changing anything. A disk whose power was cut needs its journal replayed first. */
export async function checkOverlay(file: string): Promise<DiskCheck> {
  const { code, stdout, stderr } = await run('e2fsck', ['-f', '-n', file], { anyCode: true, ifMissing: 'install e2fsprogs' })
  return { isClean: code === 0, report: `${stdout}${stderr}`.trim() }
}

/** Replays the journal, as a mount does, and nothing else; then the check. */
export async function replayAndCheckOverlay(file: string): Promise<DiskCheck> {
  await run('e2fsck', ['-E', 'journal_only', '-p', file], { anyCode: true, ifMissing: 'install e2fsprogs' })
  return checkOverlay(file)
}
