import { expect, it } from 'vitest'
import { order } from '../../../scripts/lab/order.ts'

const OK = { code: 0, stdout: 'opened\n', stderr: '' }
const LATER = { code: 1, stdout: '', stderr: 'meshbox: the chain cannot say now whether there is such a channel (wait 10 s)\n' }
const NO = { code: 1, stdout: '', stderr: 'meshbox: there is no such account\n' }

async function ordered(answers: readonly (typeof OK)[]): Promise<{ readonly said: string; readonly paused: readonly number[]; readonly asked: number }> {
  const left = [...answers]
  const paused: number[] = []
  const service = { cli: async () => left.shift() ?? NO }
  const said = await order(service, ['channel', 'open'], async (seconds) => void paused.push(seconds)).catch((error: unknown) => String(error))
  return { said, paused, asked: answers.length - left.length }
}

it('gives what was printed', async () => {
  expect(await ordered([OK])).toEqual({ said: 'opened\n', paused: [], asked: 1 })
})

it('asks again after the time that the box names', async () => {
  expect(await ordered([LATER, LATER, OK])).toEqual({ said: 'opened\n', paused: [10, 10], asked: 3 })
})

it('does not ask again after a refusal, nor for ever', async () => {
  expect(await ordered([NO, OK])).toEqual({ said: 'Error: meshbox channel open: meshbox: there is no such account\n', paused: [], asked: 1 })
  expect(await ordered(Array.from({ length: 9 }, () => LATER))).toMatchObject({ said: expect.stringContaining('cannot say now'), paused: [10, 10, 10, 10, 10], asked: 6 })
})
