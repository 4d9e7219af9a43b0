/** Bodies that were dropped, from others, held against the header. */
import { describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { encodeBody } from '../../../src/spectrum/codec/body.ts'
import { BodyReader } from '../../../src/spectrum/sync/bodies.ts'
import { Roster } from '../../../src/spectrum/sync/roster.ts'
import { native } from '../spectrum/curves.ts'
import { devnetBlock } from '../spectrum/devnet.ts'
import { ScriptedSource, silence } from './scripted-source.ts'
import type { Script } from './scripted-source.ts'
import { SimTime } from './sim-time.ts'

const { header, hash, body } = devnetBlock(9)
const OTHER = devnetBlock(8).body

function reader(...answers: NonNullable<Script['bodies']>[]): { reader: BodyReader; roster: Roster; time: SimTime } {
  const time = new SimTime(1_700_000_000)
  const roster = new Roster(time.clock(), silentLog)
  answers.forEach((bodies, index) => roster.open(new ScriptedSource(`source ${index}`, [], new Map(), { bodies })))
  return { reader: new BodyReader({ keccak: native, sources: roster, timers: time }), roster, time }
}

const answer = (...bytes: Uint8Array[]) => () => Promise.resolve(bytes)

describe('bodies on demand', () => {
  it('that are the header’s are given, from the first who has them', async () => {
    const { reader: own, roster } = reader(() => Promise.resolve([null]), () => Promise.resolve([]), answer(encodeBody(body)))
    expect(await own.of({ header, hash })).toEqual(body)
    expect(roster.bannedCount()).toBe(0)
  })

  it.each<[string, NonNullable<Script['bodies']>]>([
    ['another block’s', answer(encodeBody(OTHER))],
    ['one transaction more', answer(encodeBody({ ...body, transactions: [...body.transactions, ...OTHER.transactions] }))],
    ['with an uncle', answer(encodeBody({ ...body, uncles: [header] }))],
    ['noise', answer(Uint8Array.of(0xff, 1, 2))],
    ['more than asked for', answer(encodeBody(body), encodeBody(body))],
  ])('%s: a lie, and the next source is asked', async (_, lies) => {
    const { reader: own, roster } = reader(lies, answer(encodeBody(body)))
    expect(await own.of({ header, hash })).toEqual(body)
    expect(roster.bannedCount()).toBe(1)
  })

  it('nobody has it, or nobody answers: null', async () => {
    expect(await reader().reader.of({ header, hash })).toBeNull()
    const { reader: own, time, roster } = reader(silence)
    const asked = own.of({ header, hash })
    await time.run(15_000)
    expect([await asked, roster.bannedCount()]).toEqual([null, 0])
  })
})
