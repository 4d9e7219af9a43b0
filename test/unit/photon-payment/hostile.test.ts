/**
 * Anything a peer or a chain could say, in any order, with figures at their bounds: no step throws, and three rules hold
 * whatever comes. MESHBOX_FUZZ_RUNS for more.
 */
import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { Hash } from '../../../src/base/index.ts'
import { secretHashOf } from '../../../src/photon/channel/index.ts'
import { isChannelCommand } from './commands.ts'
import type { PaymentInput } from '../../../src/photon/payment/index.ts'
import { BLOCK, Desk, ME, OTHER_TOKEN, TOKEN, channelName, nodeOf, orderOf, pathOver } from './desk.ts'

const RUNS = Number(process.env.MESHBOX_FUZZ_RUNS ?? 400)
const nodes = [ME, nodeOf(2), nodeOf(3), nodeOf(8), nodeOf(9)]
const partners = nodes.slice(1)
const secrets: readonly Hash[] = [`0x${'11'.repeat(32)}`, `0x${'22'.repeat(32)}`]

const node = fc.constantFrom(...nodes)
const partner = fc.constantFrom(...partners)
const channel = fc.oneof({ weight: 9, arbitrary: partner.map((one) => channelName(one)) }, { weight: 2, arbitrary: partner.map((one) => channelName(one, OTHER_TOKEN)) }, { weight: 1, arbitrary: fc.constant(channelName(nodeOf(77))) })
const secret = fc.constantFrom(...secrets)
const secretHash = secret.map(secretHashOf)
const amount = fc.constantFrom(0n, 1n, 40n, 60n, 100n, 101n, 2n ** 256n - 1n)
const block = fc.constantFrom(0, BLOCK - 1, BLOCK, BLOCK + 99, BLOCK + 100, BLOCK + 150, 2 ** 53 - 1)
const code = fc.constantFrom(0, -1, 3003, 2 ** 31 - 1)
const hopIndex = fc.constantFrom(null, -5, 0, 1, 250, 2 ** 31 - 1)
const lock = fc.record({ expiration: fc.constantFrom(0, BLOCK + 30, BLOCK + 100, BLOCK + 100, BLOCK + 150, 2 ** 53 - 1), amount, secretHash })
const path = fc.array(fc.record({ node, amount: fc.option(amount) }), { maxLength: 7 })
const terms = fc.record({ lock, amount, fee: amount, initiator: node, target: node, path, paymentId: fc.constantFrom(null, secrets[0] ?? null) })
const unwelcome = fc.option(fc.record({ code, reason: fc.string({ maxLength: 20 }) }), { freq: 4 })
const data = fc.constant(new Uint8Array(3))

const input: fc.Arbitrary<PaymentInput> = fc.oneof(
  fc.record({ kind: fc.constant('lock-received' as const), channel, terms, unwelcome }),
  fc.record({ kind: fc.constant('lock-received' as const), channel, terms, unwelcome: fc.constant(null) }),
  fc.record({ kind: fc.constant('lock-unlocked' as const), channel, secret, isShown: fc.boolean() }).map(({ isShown, secret: one, ...rest }) => ({ ...rest, secretHash: secretHashOf(one), secret: isShown ? one : null })),
  fc.record({ kind: fc.constant('lock-removed' as const), channel, secretHash }),
  fc.record({ kind: fc.constant('lock-disposed' as const), channel, secretHash, code, reason: fc.string({ maxLength: 20 }), hopIndex }),
  fc.record({ kind: fc.constant('lock-released' as const), channel, secretHash }),
  fc.record({ kind: fc.constant('secret-request' as const), from: node, secretHash, amount }),
  fc.record({ kind: fc.constant('reveal' as const), from: node, secret, data }),
  fc.record({ kind: fc.constant('secret-on-chain' as const), secret: fc.constant(secrets[0] ?? '0x'), secretHash: fc.constant(secretHashOf(secrets[0] ?? '0x')), block }),
  fc.record({ kind: fc.constant('channel-settled' as const), key: channel.map((one) => ({ channel: one, epoch: 1n })) }),
  fc.record({ kind: fc.constant('channel-ready' as const), channel }),
  fc.record({ kind: fc.constant('pay' as const), order: fc.record({ target: node, amount, maxParts: fc.constantFrom(1, 2), secret }).map((change) => orderOf({ ...change, secretHash: secretHashOf(change.secret) })), routes: fc.constantFrom([], [[pathOver([nodeOf(2), nodeOf(9)], 100n)]], [[pathOver([nodeOf(2), nodeOf(3), ME], 100n)]]) }),
  fc.record({ kind: fc.constant('swap' as const), routes: fc.constant([[pathOver([nodeOf(9)], 100n)]]), order: fc.record({ side: fc.constantFrom('maker' as const, 'taker' as const), pay: secret.map((one) => orderOf({ secret: one, secretHash: secretHashOf(one) })), receivingToken: fc.constantFrom(TOKEN, OTHER_TOKEN), receivingAmount: amount }).map((order) => (order.side === 'taker' ? { ...order, pay: { ...order.pay, secret: null } } : order)) }),
  fc.constant({ kind: 'moment' as const }),
  fc.constant({ kind: 'restarted' as const }),
)

const world = fc.record({ input, forward: fc.constantFrom(0, 0, 0, 1, 20, 60), isFrozen: fc.boolean(), isReady: fc.boolean() })

test('no step throws; what was given up is never claimed; a lock is unlocked only after it was given, once', () => {
  fc.assert(
    fc.property(fc.array(world, { maxLength: 40 }), (steps) => {
      const desk = new Desk(partners, { maxSearches: 1 })
      for (const one of partners) desk.put(one, { token: OTHER_TOKEN })
      const given = new Set<string>()
      const open = new Set<string>()
      for (const { input: one, forward, isFrozen, isReady } of steps) {
        desk.moment = { block: desk.moment.block + forward, isFrozen: isFrozen && forward === 0 }
        for (const glance of [...desk.glances.values()]) desk.put(glance.partner, { token: glance.token, isReady: isReady || forward > 0 })
        for (const command of desk.give(one)) {
          if (!isChannelCommand(command)) continue
          const name = `${command.channel} ${command.kind === 'send-locked' ? command.lock.secretHash : command.kind === 'send-unlock' || command.kind === 'learn-secret' ? secretHashOf(command.secret) : 'secretHash' in command ? command.secretHash : ''}`
          if (command.kind === 'send-disposed') given.add(name)
          if (command.kind === 'send-locked') open.add(name)
          // A disposal names its channel and hash; the record is for the very lock, so only a hash not offered twice there is judged.
          if (command.kind === 'learn-secret' && given.has(name)) expect(steps.filter((step) => step.input.kind === 'lock-received' && `${step.input.channel} ${step.input.terms.lock.secretHash}` === name).length, name).toBeGreaterThan(1)
          if (command.kind === 'send-unlock' || command.kind === 'send-expired' || command.kind === 'send-disposed-response') expect(open.delete(name), `${command.kind} ${name}`).toBe(true)
        }
      }
    }),
    { numRuns: RUNS, seed: 5 },
  )
})
