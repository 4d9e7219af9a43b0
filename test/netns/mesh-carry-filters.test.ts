/**
 * What neighbours carry, counted as on a kernel without an egress hook for nft: what leaves is traffic control's. mesh-carry-suite.ts,
 * and what filters do of their own. Kernels without the action gact, which OpenWrt has, count here by mirred's copies into a sink.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { CarryKernel } from '../../src/mesh/io/carry-kernel.ts'
import { LEAVING_WORDS } from '../../src/mesh/metering/index.ts'
import type { LeavingWords } from '../../src/mesh/metering/index.ts'
import { runProgram } from '../support/netns.ts'
import { CLIENT, FAR, FORWARDED, NEXT, RULES, UNICAST, arriving, describeCarry, next, relay, send } from './mesh-carry-suite.ts'

const INTO_SINK: LeavingWords = { kind: 'mirred', pass: 'mirred egress mirror dev sink0', drop: 'mirred egress redirect dev sink0' }
/** A line for each run of tc. */
const runsFile = join(tmpdir(), `meshbox-${relay}-tc-runs`)
const tc = ['sh', '-c', `echo run >> ${runsFile}; exec ip netns exec ${relay} tc "$@"`, 'tc']
const runs = (): number => readFileSync(runsFile, 'utf8').trim().split('\n').length
let words: LeavingWords | null = null

/** The kernel takes its time to let go of filters. */
async function repaired(kernel: Pick<CarryKernel, 'read'>, ran: number): Promise<void> {
  while (runs() === ran) {
    await kernel.read()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function kernelWords(): LeavingWords {
  if (words !== null) return words
  try {
    for (const what of ['add action gact ok index 1', 'del action gact index 1']) execFileSync('ip', ['netns', 'exec', relay, 'tc', 'actions', ...what.split(' ')], { stdio: 'ignore' })
    words = LEAVING_WORDS
  } catch {
    words = INTO_SINK
  }
  return words
}

describeCarry('what leaves, counted by traffic control', (actions) => ({ leavingBy: 'filters', leaving: { tc, actions, words: kernelWords() } }), (place) => {
  afterAll(() => rmSync(runsFile, { force: true }))

  it('is what a kernel without an egress hook comes to by itself', async () => {
    const { kernel, netlink, folder, actions } = place()
    await kernel.remove(RULES.interfaces)
    // It refuses the hook in nft's words, and takes all else.
    const hookless = ['sh', '-c', `grep -q egress "$2" && { echo "Error: Could not process rule: Operation not supported" >&2; exit 1; }; exec ip netns exec ${relay} nft "$@"`, 'nft']
    const found = new CarryKernel({ netlink, nft: hookless, runtimeDir: folder, log: silentLog, leaving: { tc, actions, words: kernelWords() } })
    expect(await found.install(RULES)).toBe('made')
    await found.setAllowed(new Map([[NEXT, 'open']]))
    const sent = await send(relay, 'out0', { to: NEXT, type: UNICAST, originator: FAR, bytes: 1000, count: 10, mark: FORWARDED })
    const again = new CarryKernel({ netlink, nft: hookless, runtimeDir: folder, log: silentLog, leaving: { tc, actions, words: kernelWords() } })
    expect(await again.install(RULES)).toBe('kept')
    expect(await again.read()).toMatchObject([{ neighbour: NEXT, sentBytes: BigInt(sent), allSentBytes: BigInt(sent) }])
  })

  it('reads without starting a program', async () => {
    const before = runs()
    for (let read = 0; read < 20; read++) await place().kernel.read()
    expect(runs()).toBe(before)
  })

  it('makes the filters again that somebody took away, in one run, with the counters of before and the gates as they were', async () => {
    const { kernel, of } = place()
    const order = { to: NEXT, type: UNICAST, originator: FAR, bytes: 1000, count: 10, mark: FORWARDED }
    const before = await send(relay, 'out0', order)
    execFileSync('ip', ['netns', 'exec', relay, 'tc', 'qdisc', 'del', 'dev', 'out0', 'clsact'])
    await send(relay, 'out0', order)
    const ran = runs()
    await repaired(kernel, ran)
    expect((await of(NEXT)).sentBytes).toBe(BigInt(before))
    expect(runs()).toBe(ran + 1)
    const after = await send(relay, 'out0', order)
    expect((await of(NEXT)).sentBytes).toBe(BigInt(before + after))
    await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'closed']]))
    const again = runs()
    execFileSync('ip', ['netns', 'exec', relay, 'tc', 'qdisc', 'del', 'dev', 'out0', 'clsact'])
    await repaired(kernel, again)
    expect(await arriving(next, 'down0', () => send(relay, 'out0', order))).toEqual({})
  })

  it('shuts and opens one neighbour with one run, and the others do not notice', async () => {
    const { kernel, of } = place()
    const other = '02:00:00:00:03:02'
    await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'open'], [other, 'open']]))
    const orders = [NEXT, other].map((to) => ({ to, type: UNICAST, originator: FAR, bytes: 500, count: 10, mark: FORWARDED }))
    for (const gate of ['closed', 'open', 'closed'] as const) {
      const ran = runs()
      await kernel.setAllowed(new Map([[CLIENT, 'open'], [NEXT, 'open'], [other, gate]]))
      expect(runs()).toBe(ran + 1)
      await send(relay, 'out0', ...orders)
    }
    expect((await of(NEXT)).sentPackets).toBe(30n)
    expect((await of(other)).sentPackets).toBe(10n)
  })

  it('says in the words of tc what is refused, and leaves nothing behind', async () => {
    const { kernel, make } = place()
    await expect(kernel.install({ ...RULES, interfaces: [...RULES.interfaces, 'in9'], isGated: false })).rejects.toMatchObject({ message: expect.stringContaining('in9') as unknown })
    const { actions } = place()
    const powerless = make({ leaving: { tc: ['ip', 'netns', 'exec', relay, 'setpriv', '--bounding-set', '-all', 'tc'], actions, words: kernelWords() } })
    await expect(powerless.install(RULES)).rejects.toMatchObject({ code: 'carry-filters', message: expect.stringContaining('Operation not permitted') as unknown })
    await kernel.remove(RULES.interfaces)
    expect((await actions.list(kernelWords().kind)).length).toBe(0)
    expect((await runProgram('ip', ['netns', 'exec', relay, 'tc', 'filter', 'show', 'dev', 'out0', 'egress'])).stdout).toBe('')
  })
})
