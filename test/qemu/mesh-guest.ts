/**
 * Runs inside an emulated ARM router, as root: the mesh room's parts at work on real batman-adv, boxes being namespaces.
 *
 *   node mesh-guest.cjs PART genetlink.node nfnetlink.node better_sqlite3.node secp256k1.node
 *
 * Says on its standard error what it looked at, and prints one line of JSON: { checks: [{ name, ok, detail }], notes }. Exit
 * code 1 if a check failed.
 */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asError } from '../../src/base/index.ts'
import { loadGenetlink, loadSecp256k1 } from '../../src/native/index.ts'
import { Checks } from './genetlink-guest/checks.ts'
import { checkCarry } from './mesh-guest/carry.ts'
import { checkCrowd } from './mesh-guest/crowd.ts'
import { checkPayments } from './mesh-guest/pay.ts'
import { checkRoaming } from './mesh-guest/roam.ts'
import { checkSettlement } from './mesh-guest/settle.ts'
import { checkView } from './mesh-guest/view.ts'

interface Addons {
  readonly genetlink: string
  readonly nfnetlink: string
  readonly sqlite: string
  readonly secp256k1: string
}

/** Whoever stops this program can see how far it came. */
class TalkingChecks extends Checks {
  override add(name: string, ok: boolean, detail: unknown): void {
    super.add(name, ok, detail)
    process.stderr.write(`${process.uptime().toFixed(1)} s ${ok ? 'right' : 'WRONG'}: ${name}\n`)
  }
}

const PARTS: Readonly<Record<string, (checks: Checks, addons: Addons) => Promise<void>>> = {
  view: (checks, { genetlink }) => checkView(loadGenetlink(genetlink), checks),
  carry: (checks, { genetlink, nfnetlink }) => checkCarry(loadGenetlink(genetlink), nfnetlink, 'table', checks),
  filters: (checks, { genetlink, nfnetlink }) => checkCarry(loadGenetlink(genetlink), nfnetlink, 'filters', checks),
  crowd: (checks, { genetlink }) => checkCrowd(loadGenetlink(genetlink), checks),
  pay: (checks, { genetlink }) => checkPayments(join(dirname(genetlink), 'mesh-box.cjs'), checks),
  roam: (checks, { genetlink }) => checkRoaming(loadGenetlink(genetlink), checks),
  settle: (checks, { nfnetlink, sqlite, secp256k1 }) => checkSettlement(nfnetlink, sqlite, loadSecp256k1(secp256k1), checks),
}

async function main([part = '', genetlink = '', nfnetlink = '', sqlite = '', secp256k1 = '']: readonly string[]): Promise<void> {
  const checks = new TalkingChecks()
  try {
    mkdirSync('/run/netns', { recursive: true })
    await PARTS[part]?.(checks, { genetlink, nfnetlink, sqlite, secp256k1 })
  } catch (error) {
    checks.add('the program ran to its end', false, asError(error).stack)
  }
  console.log(JSON.stringify({ checks: checks.list, notes: checks.notes }))
  process.exit(checks.list.every((check) => check.ok) ? 0 : 1)
}

void main(process.argv.slice(2))
