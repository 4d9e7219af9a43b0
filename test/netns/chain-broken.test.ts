/** A box whose chain cannot start sells minutes all the same, and says what is wrong with the chain. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { thisMachine } from '../support/netns.ts'
import { boxFiles, startService } from '../support/town-services.ts'

it.each([
  ['that is not there', null, /chain\.network: .* cannot be read/],
  ['that somebody changed', '{"format":"meshbox-community-chain"}', /joinFile|version/],
])('a join file %s', async (_what, text, reason) => {
  const folder = mkdtempSync(join(tmpdir(), 'meshbox-chain-broken-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'box'))
  const files = boxFiles(join(folder, 'box'))
  const path = join(folder, 'chain.json')
  if (text !== null) writeFileSync(path, text)
  const section = (type: string, name: string, ...lines: string[]): string => `config ${type} '${name}'\n${lines.map((line) => `\t${line}\n`).join('')}`
  writeFileSync(
    files.config,
    section('meshbox', 'main', `option data_dir '${files.dataDir}'`, `option control_socket '${files.socket}'`, "option log_style 'time'", "list roles 'hotspot'", "list roles 'light'") +
      section('hotspot', 'hotspot', "option gate 'record'", "option portal_address '127.0.0.1'", `option portal_port '${await freePort()}'`) +
      section('owner', 'owner', `option port '${await freePort()}'`) +
      section('chain', 'chain', `option network '${path}'`),
  )
  const service = await startService(thisMachine, files)
  try {
    const status = await service.cli('status', '--json')
    expect(JSON.parse(status.stdout)).toMatchObject({ gate: { state: 'recording' } })
    const chain = await service.cli('chain', 'status')
    expect(chain.code).toBe(1)
    expect(chain.stderr).toMatch(reason)
    expect(chain.stderr).toContain('restart the service')
  } finally {
    await service.stop()
  }
})
