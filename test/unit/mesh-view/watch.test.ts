/** When batman-adv is asked, and what is told of a kernel that has no mesh, loses it, or does not answer. */
import { describe, expect, it } from 'vitest'
import { MeshBoxError, silentLog } from '../../../src/base/index.ts'
import type { MeshChange } from '../../../src/mesh/ports.ts'
import { MeshWatch } from '../../../src/mesh/view/index.ts'
import { OFTEN_MS, SELDOM_MS } from '../../../src/mesh/view/watch.ts'
import type { MeshReader, MeshReading } from '../../../src/mesh/view/index.ts'
import { FakeTime } from '../../support/fakes.ts'
import { reading, way } from './readings.ts'

class Kernel implements MeshReader {
  answer: MeshReading | Error = reading({})
  readings = 0
  watchers = new Set<() => void>()
  isSilent = false

  async read({ signal }: { signal?: AbortSignal }): Promise<MeshReading> {
    this.readings += 1
    if (this.isSilent) await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('given up'))))
    if (this.answer instanceof Error) throw this.answer
    return this.answer
  }

  async watchSettings(onChange: () => void): Promise<() => void> {
    if (this.answer instanceof Error) throw this.answer
    this.watchers.add(onChange)
    return () => this.watchers.delete(onChange)
  }
}

const refused = (code: string): MeshBoxError => new MeshBoxError('unavailable', `words of ${code}`, { code })
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function running(answer: MeshReading | Error = reading({})): Promise<{ kernel: Kernel; time: FakeTime; watch: MeshWatch; told: MeshChange[] }> {
  const kernel = new Kernel()
  kernel.answer = answer
  const time = new FakeTime()
  const watch = new MeshWatch({ reader: kernel, clock: time, timers: time, log: silentLog })
  const told: MeshChange[] = []
  watch.on((change) => told.push(change))
  await watch.start()
  return { kernel, time, watch, told }
}

describe('asking', () => {
  it('is seldom by itself, often while somebody hurries, and once for many who ask', async () => {
    const { kernel, time, watch } = await running()
    expect(kernel.readings).toBe(1)
    time.advance(SELDOM_MS)
    await settle()
    expect(kernel.readings).toBe(2)
    const rest = watch.hurry()
    time.advance(0)
    await settle()
    for (let second = 0; second < 5; second++) {
      time.advance(OFTEN_MS)
      await settle()
    }
    expect(kernel.readings).toBe(8)
    rest()
    rest()
    time.advance(OFTEN_MS)
    await settle()
    expect(kernel.readings).toBe(9)
    time.advance(SELDOM_MS - 1)
    await settle()
    expect(kernel.readings).toBe(9)
    await Promise.all([watch.refresh(), watch.refresh(), watch.refresh()])
    expect(kernel.readings).toBe(10)
    watch.stop()
    expect(time.pendingTimers).toBe(0)
    expect(kernel.watchers.size).toBe(0)
  })

  it('is soon after somebody changed a setting, once for a burst', async () => {
    const { kernel, time } = await running()
    for (let each = 0; each < 20; each++) for (const change of kernel.watchers) change()
    time.advance(100)
    await settle()
    expect(kernel.readings).toBe(2)
  })
})

describe('a mesh that is not there', () => {
  it.each([
    ['no-batman-adv', 'no-module'],
    ['no-genetlink', 'no-module'],
    ['no-interface', 'no-interface'],
    ['no-mesh-interface', 'no-interface'],
    ['mesh-idle', 'idle'],
    ['genetlink-refused', 'refused'],
  ])('%s is the state %s with the kernel\'s words', async (code, kind) => {
    const { watch } = await running(refused(code))
    expect(watch.state().condition).toEqual({ kind, reason: `words of ${code}` })
  })

  it('is found when it comes, and lost when it goes', async () => {
    const { kernel, time, watch, told } = await running(refused('no-batman-adv'))
    told.length = 0
    kernel.answer = reading({ originators: [way(2, 2, 255)] })
    time.advance(SELDOM_MS)
    await settle()
    expect(told.map((change) => change.kind)).toEqual(['condition', 'node-came'])
    expect(kernel.watchers.size).toBe(1)
    kernel.answer = refused('no-batman-adv')
    time.advance(SELDOM_MS)
    await settle()
    expect(told.map((change) => change.kind)).toEqual(['condition', 'node-came', 'condition', 'node-left'])
    expect(watch.state().condition.kind).toBe('no-module')
    expect(kernel.watchers.size).toBe(0)
  })

  it('because the kernel does not answer is a state too, and it is asked again', async () => {
    const { kernel, time, watch } = await running(reading({ originators: [way(2, 2, 255)] }))
    kernel.isSilent = true
    time.advance(SELDOM_MS)
    await settle()
    time.advance(5000)
    await settle()
    expect(watch.state().condition).toEqual({ kind: 'refused', reason: 'given up' })
    kernel.isSilent = false
    time.advance(SELDOM_MS)
    await settle()
    expect(watch.state().condition.kind).toBe('up')
  })
})

it('one listener that fails does not keep the others from hearing', async () => {
  const kernel = new Kernel()
  const time = new FakeTime()
  const watch = new MeshWatch({ reader: kernel, clock: time, timers: time, log: silentLog })
  const heard: string[] = []
  watch.on(() => {
    throw new Error('broken')
  })
  watch.on((change) => heard.push(change.kind))
  await watch.start()
  expect(heard).toEqual(['condition'])
})
