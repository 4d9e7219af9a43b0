import { describe, expect, it } from 'vitest'
import { createLog } from '../../../src/base/index.ts'
import { LogRing } from '../../../src/owner/index.ts'

describe('log ring', () => {
  it('keeps the last lines and counts those that fell out', () => {
    const ring = new LogRing(3)
    for (let n = 1; n <= 5; n++) ring.push(`info room: line ${n}`, n)
    expect(ring.last().map((event) => [event.id, event.line, event.wallMs])).toEqual([
      [3, 'room: line 3', 3],
      [4, 'room: line 4', 4],
      [5, 'room: line 5', 5],
    ])
    expect(ring.dropped).toBe(2)
  })

  it.each(['syslog', 'time'] as const)('reads the level out of lines the log writes (%s)', (style) => {
    const ring = new LogRing()
    const log = createLog({ level: 'debug', style, now: () => 1_700_000_000_000, write: (line) => ring.push(line, 1) })
    log.debug('d')
    log.info('i')
    log.warn('w')
    log.error('e', { at: 'disk' })
    expect(ring.last().map((event) => event.level)).toEqual(['debug', 'info', 'warn', 'error'])
    expect(ring.last(10, 'warn').map((event) => event.line)).toEqual(['meshbox: w', 'meshbox: e at=disk'])
  })

  it('cuts long lines, and takes a line it cannot read as information', () => {
    const ring = new LogRing()
    ring.push('x'.repeat(5000), 0)
    expect(ring.last()[0]?.level).toBe('info')
    expect(ring.last()[0]?.line).toHaveLength(1000)
  })
})
