/** Nobody fills the log by doing wrong again and again, and nothing that is new goes unsaid. */
import { expect, it } from 'vitest'
import { Complaints, silentLog } from '../../../src/base/index.ts'
import type { LogFields } from '../../../src/base/index.ts'
import { FakeTime } from '../../support/fakes.ts'

it('one a minute about each; the next one says how many were not told; who was told of longest ago is forgotten', () => {
  const said: [string, LogFields | undefined][] = []
  const time = new FakeTime()
  const complaints = new Complaints({ clock: time, log: { ...silentLog, warn: (message, fields) => void said.push([message, fields]) } })
  for (let n = 0; n < 600; n++) {
    complaints.warn('an order', { n })
    complaints.warn('an order', { n }, 'farm')
    time.advance(99)
  }
  expect(said).toEqual([['an order', { n: 0 }], ['an order', { n: 0 }]])
  time.advance(600)
  complaints.warn('another', { n: 600 })
  time.advance(60_000)
  complaints.warn('another', { n: 601 })
  expect(said.slice(2)).toEqual([['another', { n: 600, unsaid: 599 }], ['another', { n: 601 }]])
  for (let n = 0; n < 2_000; n++) complaints.warn('an order', {}, `tenant ${n}`)
  expect(complaints.size).toBeLessThanOrEqual(512)
})
