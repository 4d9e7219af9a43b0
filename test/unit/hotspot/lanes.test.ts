/** One lane per voucher, device and session. */
import { describe, expect, it } from 'vitest'
import { Lanes } from '../../../src/hotspot/lanes.ts'

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('lanes', () => {
  it('serve one after the other in the order they came, others side by side', async () => {
    const lanes = new Lanes()
    const log: string[] = []
    const task = (name: string, ...keys: string[]) =>
      lanes.run(keys, async () => {
        log.push(`${name} begins`)
        await pause()
        log.push(`${name} ends`)
      })
    await Promise.all([task('1', 'a'), task('2', 'a', 'b'), task('3', 'b'), task('4', 'c')])
    expect(log.filter((line) => !line.startsWith('4'))).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends'])
    expect(log.indexOf('4 begins')).toBeLessThan(log.indexOf('1 ends'))
    expect(lanes.isBusy('a')).toBe(false)
  })

  it('go on after a task that failed, and say what it threw', async () => {
    const lanes = new Lanes()
    const failing = lanes.run(['a'], () => Promise.reject(new Error('no')))
    const next = lanes.run(['a'], async () => 'yes')
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('yes')
    await lanes.empty()
    expect(lanes.isBusy('a')).toBe(false)
  })

  it('take the same key twice without waiting for themselves', async () => {
    expect(await new Lanes().run(['a', 'a'], async () => 1)).toBe(1)
  })
})
