/**
 * `make run`. As root: a small town in network namespaces, the story of a box's first day, and then the
 * town stays up for the developer. Without root: the same service with a gate that only records.
 *   make run ARGS=--once      ends after the story; further options: options.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot, thisMachine } from '../../test/support/netns.ts'
import { boxFiles, socketRequest, startService } from '../../test/support/town-services.ts'
import { giveChain, tellOfChain } from './chain.ts'
import { PASSWORD, writeConfig } from './first-config.ts'
import { runTown } from './in-town.ts'
import { parseOptions, type LabOptions } from './options.ts'
import { fail, note, step } from './say.ts'
import { readState } from './town.ts'

const options = optionsOrEnd()
if (readState()) {
  console.error('run: a town is running already; stop it with Ctrl-C in its terminal, or act in it with `make guest`')
  process.exit(1)
}
const dir = mkdtempSync(join(tmpdir(), 'meshbox-lab-'))
const stopped = new Promise<void>((resolve) => {
  // A second one, by a hurried hand or by a launcher that hands on what it also gets, must not end this before the town is taken away.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve())
})
/** The first Ctrl-C ends the story too, and takes the town away. */
const untilStopped = <T>(work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    stopped.then(() => {
      throw new Error('stopped')
    }),
  ])
const finished = await (isRoot() ? runTown(dir, options, stopped, untilStopped) : onThisMachine()).then(
  () => true,
  (error: unknown) => {
    fail(error instanceof Error ? error.message : String(error))
    return false
  },
)
rmSync(dir, { recursive: true, force: true })
process.exit(finished ? 0 : 1)

async function onThisMachine(): Promise<void> {
  step('Not root: the same service on this machine, with a gate that only records')
  note('No kernel rules are made, nobody is cut off: pages, vouchers, sessions, ledger and dashboard are real. As root, `make run` builds the town.')
  const files = boxFiles(dir)
  writeConfig(files, { ownerAddress: '127.0.0.1', gate: 'record' })
  const chain = await giveChain(thisMachine, files, dir, '127.0.0.1', null)
  const service = await startService(thisMachine, files)
  try {
    await socketRequest(files.socket, 'POST', '/api/password', { password: PASSWORD })
    const made = await service.cli('voucher', 'create', 'minute', '3', '--codes')
    note(made.stdout.trimEnd())
    step('Its own chain, and a wallet')
    await tellOfChain(chain, service)
    step('It stays up. Ctrl-C ends it')
    note(`dashboard   http://127.0.0.1:2090/          password: ${PASSWORD}`)
    note('guest page  http://127.0.0.1:2080/')
    note(`JSON-RPC    ${chain.url}         chain id ${chain.chainId}, token VTK at ${chain.token}`)
    if (!options.isOnce) await stopped
  } finally {
    await service.stop()
  }
}

function optionsOrEnd(): LabOptions {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`run: ${error instanceof Error ? error.message : String(error)}`)
    return process.exit(2)
  }
}
