/**
 * The overlay, firmware/files: what an image has besides packages. First-boot scripts only; anything else would be a file
 * of one board, or fight with a package over who owns it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { FIRMWARE } from './profiles.ts'

export const OVERLAY = join(FIRMWARE, 'files')
const ALLOWED = /^etc\/uci-defaults\/\d\d-[a-z0-9-]+$/
/** The package's own script; ours come after it. */
const PACKAGE_SCRIPT = '90-meshbox'

export interface OverlayFinding {
  readonly file: string
  readonly problem: string
}

/** Everything wrong with the overlay; `[]` is right. Says so when shellcheck is not there. */
export function checkOverlay(folder = OVERLAY): { findings: OverlayFinding[]; files: string[]; shellcheck: boolean } {
  const findings: OverlayFinding[] = []
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
  const shellcheck = spawnSync('shellcheck', ['--version']).status === 0
  for (const file of files) {
    const say = (problem: string): void => void findings.push({ file, problem })
    const path = join(folder, file)
    if (!ALLOWED.test(file)) say('only first-boot scripts etc/uci-defaults/NN-name belong into the overlay')
    else if ((file.split('/').pop() ?? '') <= PACKAGE_SCRIPT) say(`runs before ${PACKAGE_SCRIPT}; give it a higher number`)
    if ((statSync(path).mode & 0o111) === 0) say('is not executable')
    const text = readFileSync(path, 'utf8')
    if (!text.startsWith('#!/bin/sh\n')) say('does not begin with #!/bin/sh')
    if (!/\nexit 0\n$/.test(text)) say('does not end with `exit 0`: OpenWrt would run it at every boot')
    const syntax = spawnSync('sh', ['-n', path], { encoding: 'utf8' })
    if (syntax.status !== 0) say(`sh -n: ${syntax.stderr.trim()}`)
    if (shellcheck) {
      const checked = spawnSync('shellcheck', ['-s', 'sh', '-f', 'gcc', path], { encoding: 'utf8' })
      if (checked.status !== 0) say(`shellcheck: ${checked.stdout.trim()}`)
    }
  }
  return { findings, files, shellcheck }
}
