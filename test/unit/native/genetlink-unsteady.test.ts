/**
 * What this machine's kernel does not do on demand: lists that change while they are told, a socket that breaks.
 * The addon is played by an object that tells what the test says; all else is tested with the real one.
 */
import { describe, expect, it } from 'vitest'
import { asError } from '../../../src/base/index.ts'
import type { Genetlink, GenetlinkFamily } from '../../../src/native/index.ts'
import { doorOver } from '../../../src/native/io/genetlink.ts'
import type { GenetlinkAddon } from '../../../src/native/io/genetlink.ts'

const OPENED = 0
const DONE = 1
const LOST = 3
const BROKEN = 4
const EIO = 5
const EMFILE = 24
const NOTHING = new Uint8Array(0)
const family: GenetlinkFamily = { id: 31, name: 'batadv', version: 1, groups: new Map([['config', 11]]) }

interface Played {
  readonly netlink: Genetlink
  /** Tickets of the lists that were asked for. */
  readonly asked: number[]
  readonly closed: number[]
  tell(news: number, ticket: number, error?: number, text?: string, value?: number): void
}

/** `answer` says what each list is answered with: the value of the news, or null for no answer. */
async function play(answer: (asked: number) => number | null): Promise<Played> {
  const asked: number[] = []
  const closed: number[] = []
  let tell: Played['tell'] = () => undefined
  const later = (...news: Parameters<Played['tell']>): boolean => {
    setImmediate(() => tell(...news))
    return true
  }
  const addon: GenetlinkAddon = {
    open: (_path, _bytes, listener) => {
      tell = (news, ticket, error = 0, text = '', value = 0) => listener(news, ticket, error, text, value, NOTHING)
      later(OPENED, 0)
      return 1
    },
    request: (_channel, ticket) => {
      asked.push(ticket)
      const value = answer(asked.length)
      return value === null ? true : later(DONE, ticket, 0, '', value)
    },
    setMembership: (_channel, ticket) => later(DONE, ticket),
    interfaceIndex: () => false,
    cancel: () => true,
    hold: () => true,
    close: (channel) => closed.push(channel) > 0,
  }
  return { netlink: await doorOver(addon).open(), asked, closed, tell: (...news) => tell(...news) }
}

describe('a list that changes while it is told', () => {
  it('is asked for again until it does not', async () => {
    const { netlink, asked } = await play((times) => (times < 3 ? 1 : 0))
    expect(await netlink.dump(family, 8, NOTHING)).toEqual([])
    expect(new Set(asked).size).toBe(3)
  })

  it('is given up after five times', async () => {
    const { netlink, asked } = await play(() => 1)
    expect(await netlink.dump(family, 8, NOTHING).catch(asError)).toMatchObject({ kind: 'unavailable', code: 'genetlink-dump-unsteady' })
    expect(asked).toHaveLength(5)
  })
})

describe('a channel', () => {
  it('whose sockets break ends all that wait, and says why', async () => {
    const { netlink, tell, closed } = await play(() => null)
    const waiting = [netlink.dump(family, 8, NOTHING), netlink.request(family, 1, NOTHING)].map((promise) => promise.catch(asError))
    tell(BROKEN, 0, EMFILE, 'open the socket')
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'genetlink-closed', message: expect.stringContaining('EMFILE') as string })
    expect(closed).toEqual([1])
    expect(await netlink.families().catch(asError)).toMatchObject({ code: 'genetlink-closed' })
  })

  it('whose events cannot be read any more tells it as lost, then ends', async () => {
    const { netlink, tell, closed } = await play(() => null)
    let lost = 0
    await netlink.watch(family, 'config', { onMessage: () => undefined, onLost: () => void lost++ })
    tell(LOST, 0)
    expect([lost, closed]).toEqual([1, []])
    tell(LOST, 0, EIO)
    expect([lost, closed]).toEqual([2, [1]])
    tell(LOST, 0)
    expect(lost).toBe(2)
  })

  it('that the addon does not know any more is closed', async () => {
    const { netlink } = await play(() => null)
    expect(await netlink.interfaceIndex('lo').catch(asError)).toMatchObject({ code: 'genetlink-closed' })
  })

  it('passes over answers to nobody', async () => {
    const { netlink, tell } = await play(() => 0)
    tell(DONE, 4711)
    tell(99, 1)
    expect(await netlink.dump(family, 8, NOTHING)).toEqual([])
  })
})
