/** Debian's Chromium, driven by playwright-core: on this machine, or as a guest's browser inside a namespace. */
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import type { Namespace } from './netns.ts'

export const CHROMIUM = '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export interface GuestBrowser {
  readonly browser: Browser
  close(): Promise<void>
}

/** The browser talks to us through pipes, so it may live in another network. */
export async function launchIn(ns: Namespace): Promise<GuestBrowser> {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing; scripts/setup.sh test installs it`)
  const dir = mkdtempSync(join(tmpdir(), 'meshbox-browser-'))
  const wrapper = join(dir, 'chromium')
  writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${ns.name} ${CHROMIUM} "$@"\n`)
  chmodSync(wrapper, 0o755)
  const browser = await chromium.launch({ executablePath: wrapper, headless: true, args: FLAGS })
  return {
    browser,
    async close() {
      await browser.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
