/** `meshbox tool photon` and `tool channel-id`: what anybody needs to check us against other implementations. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hexOf, toHex } from '../../../src/base/index.ts'
import type { Message, Profile } from '../../../src/photon/index.ts'
import { encodeFrame } from '../../../src/photon/stream/frames.ts'
import { shown } from '../../../src/photon/wire/inspect/fields.ts'
import packets from '../../vectors/photon/v1-packets.json' with { type: 'json' }
import vectors from '../../vectors/photon/signatures.json' with { type: 'json' }
import { meshbox } from '../cli/console.ts'
import { messagesOf } from './arbitrary.ts'
import { CHANNEL, ENVELOPE, KEY, KEY1, KEY2, ONES, ONE_ADDRESS, TWO_ADDRESS, V1, V2, keccak, sealed, wire2 } from './parties.ts'

type Answer = Record<string, unknown> & { readonly code: number }

/** One line of JSON, whatever happens. */
async function tool(line: string, stdin: string | object = ''): Promise<Answer> {
  const { code, out, err } = await meshbox(`tool ${line}`, { stdin: typeof stdin === 'string' ? stdin : JSON.stringify(stdin) })
  expect([err, out.split('\n').length, out.endsWith('\n')]).toEqual(['', 2, true])
  return { ...(JSON.parse(out) as Record<string, unknown>), code }
}

const [KEY1_HEX, KEY2_HEX] = [toHex(KEY1), toHex(KEY2)]
const V1_LINE = '--chain-id 8888'
const V2_LINE = `--chain-id 20180430 --contract ${V2.contract}`
const SIGNERS: Readonly<Record<string, string | null>> = { Ack: null, AnnounceDisposed: TWO_ADDRESS }

describe('tool photon decode', () => {
  it.each(Object.entries(packets.packets))('%s of the original: fields, hash, sender', async (name, hex) => {
    const answer = await tool(`photon decode ${V1_LINE}`, hex)
    expect(answer).toMatchObject({ code: 0, ok: true, profile: 'v1', bytes: hex.length / 2, sender: name in SIGNERS ? SIGNERS[name] : ONE_ADDRESS })
    expect(answer['hash']).toBe(hexOf(keccak(Buffer.from(hex, 'hex'))))
  })

  it('shows the lock, its hash, the hash of the secret, and what the contract is told', async () => {
    expect(await tool(`photon decode ${V1_LINE}`, packets.packets.MediatedTransfer)).toMatchObject({
      kind: 'locked', channel: CHANNEL, lockHash: vectors.locks[2]?.hash, message: { amount: '31', fee: '5', lock: { expiration: 4589897, amount: '36' }, envelope: { nonce: '11', locksroot: vectors.rootOfThree } },
    })
    expect(await tool(`photon decode ${V1_LINE}`, packets.packets.AnnounceDisposed)).toMatchObject({ lockHash: vectors.locks[0]?.hash, message: { code: 3003, reason: 'NoAvailabeRoute' } })
    expect(await tool('photon decode', packets.packets.RevealSecret)).toMatchObject({ secretHash: '0x02d449a31fbb267c8f352e9968a79e3e5fc95c1bbeaa502fd6454ebde5a4bedc', sender: ONE_ADDRESS, message: { data: '0x616263' } })
    expect(await tool(`photon decode ${V1_LINE}`, packets.packets.WithdrawRequest)).toMatchObject({ forContract: { signer: ONE_ADDRESS } })
  })

  it('names nobody while the chain, or in v2 the contract, is not known', async () => {
    expect(await tool('photon decode', packets.packets.Unlock)).toMatchObject({ code: 0, sender: null, digest: null, signature: `0x${packets.packets.Unlock.slice(-130)}` })
    expect(await tool('photon decode', packets.packets.WithdrawRequest)).toMatchObject({ sender: ONE_ADDRESS, forContract: null })
    const frame = toHex(sealed(wire2, { kind: 'ping', nonce: 1n }, KEY1))
    for (const line of ['', '--chain-id 20180430', `--contract ${V2.contract}`]) expect(await tool(`photon decode ${line}`, frame)).toMatchObject({ profile: 'v2', sender: null, digest: null })
    expect(await tool(`photon decode ${V2_LINE}`, `0x${frame.replace(/(.{20})/g, '$1\n')}\n`)).toMatchObject({ sender: ONE_ADDRESS })
  })

  it('finds the sender of a v1 packet whose signature was given its twin, as the original does', async () => {
    const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const hex = packets.packets.Unlock
    const s = ORDER - BigInt(`0x${hex.slice(-66, -2)}`)
    const twin = `${hex.slice(0, -66)}${s.toString(16).padStart(64, '0')}${hex.endsWith('1b') ? '1c' : '1b'}`
    expect(await tool(`photon decode ${V1_LINE}`, twin)).toMatchObject({ sender: ONE_ADDRESS })
  })

  it('takes frames of a stream', async () => {
    const tick = encodeFrame({ kind: 'tick', session: 7, index: 9, preimage: new Uint8Array(32).fill(0x11) })
    expect(await tool('photon decode', toHex(tick))).toMatchObject({ profile: 'stream', kind: 'tick', bytes: 39, message: { session: 7, index: 9, preimage: ONES } })
    const stop = encodeFrame({ kind: 'stop', session: 7, reason: 1 })
    expect(await tool('photon decode', toHex(tick) + toHex(stop))).toMatchObject({ kind: 'frames', message: [{ kind: 'tick' }, { kind: 'stop', session: 7, reason: 1 }] })
    expect(await tool('photon decode', toHex(tick).slice(0, -2))).toMatchObject({ code: 1, field: 'packet' })
  })

  it.each(['', '0x', 'zz', '00', '0b00', 'ff'.repeat(80), '20', '4302', packets.packets.Unlock.slice(0, -2), `${packets.packets.Unlock}00`])('refuses %j as one line of JSON', async (stdin) => {
    expect(await tool('photon decode', stdin)).toMatchObject({ code: 1, ok: false, error: 'bad-input', field: 'packet' })
  })

  it('never breaks, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(fc.constantFrom(0, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 0x20, 0x43, 0x44, 0x47, 0x4c), fc.uint8Array({ maxLength: 400 })), async ([type, rest]) => {
        const answer = await tool(`photon decode ${V2_LINE}`, toHex(Uint8Array.from([type, ...rest])))
        expect(answer.code).toBe(answer['ok'] === true ? 0 : 1)
      }),
      { numRuns: 40, seed: 8 },
    )
  })
})

describe('tool photon encode', () => {
  it.each(Object.entries(packets.packets))('%s: what decode prints makes the original’s packet again', async (name, hex) => {
    const { message, profile } = await tool('photon decode', hex)
    const made = await tool(`photon encode ${V1_LINE} --key ${name === 'AnnounceDisposed' ? KEY2_HEX : KEY1_HEX}`, { profile, message })
    expect(made).toMatchObject({ code: 0, packet: `0x${hex}`, sender: name in SIGNERS ? SIGNERS[name] : ONE_ADDRESS })
  })

  it('makes the signature for the contract, and the root from the locks', async () => {
    const decoded = await tool('photon decode', packets.packets.SettleRequest)
    const { contractSignature, ...message } = decoded['message'] as Record<string, unknown>
    expect(await tool(`photon encode ${V1_LINE}`, { profile: 'v1', message, key: KEY1_HEX })).toMatchObject({ packet: `0x${packets.packets.SettleRequest}`, message: { contractSignature } })
    const { envelope, ...rest } = (await tool('photon decode', packets.packets.MediatedTransfer))['message'] as Record<string, Record<string, unknown>>
    const { locksroot: _root, ...tail } = envelope ?? {}
    const locks = vectors.locks.map(({ hash: _hash, ...lock }) => lock)
    expect(await tool(`photon encode --key ${KEY1_HEX}`, { profile: 'v1', chainId: '8888', message: { ...rest, envelope: { ...tail, locks } } })).toMatchObject({ packet: `0x${packets.packets.MediatedTransfer}` })
    expect(await tool(`photon encode --key ${KEY1_HEX}`, { profile: 'v1', chainId: '8888', message: { ...rest, envelope: { ...envelope, locks: locks.slice(1) } } })).toMatchObject({ code: 1, field: 'message.envelope.locksroot' })
  })

  it.each(['v1', 'v2'] as const)('%s: every message, from what decode prints of it', async (profile: Profile) => {
    const domain = { profile, chainId: '20180430', contract: V2.contract }
    for (const [kind, messages] of Object.entries(messagesOf(profile))) {
      for (const message of fc.sample(messages, { numRuns: 2, seed: 4 })) {
        const made = await tool(`photon encode --key ${KEY2_HEX}`, { ...domain, message: shown(message) })
        expect([kind, made['code'], made['message']]).toEqual([kind, 0, shown(message)])
        const again = await tool(`photon decode ${V2_LINE}`, String(made['packet']))
        expect(again).toMatchObject({ ok: true, kind, message: shown(message), sender: kind === 'ack' ? null : TWO_ADDRESS })
      }
    }
  })

  it('a v2 refusal signs nothing for the contract', async () => {
    const terms = { participant: ONE_ADDRESS, total: '5', validUntil: 9 }
    const message = { kind: 'withdraw-response', key: { channel: CHANNEL, epoch: '3' }, terms, code: 5001, reason: 'no' }
    expect(await tool(`photon encode ${V2_LINE} --key ${KEY2_HEX}`, { message })).toMatchObject({ profile: 'v2', forContract: null, message: { contractSignature: `0x${'00'.repeat(65)}` } })
    expect(await tool(`photon encode ${V2_LINE} --key ${KEY2_HEX}`, { message: { ...message, code: 0 } })).toMatchObject({ forContract: { signer: TWO_ADDRESS } })
  })

  const ping = { kind: 'ping', nonce: '1' }
  it.each([
    ['input', '{'],
    ['input', '[]'],
    ['message', {}],
    ['message.kind', { message: { kind: 'pong' } }],
    ['message.nonce', { message: { kind: 'ping' } }],
    ['message.nonce', { message: { kind: 'ping', nonce: -1 } }],
    ['message.nonce', { message: { kind: 'ping', nonce: 2 ** 60 } }],
    ['message.nonse', { message: { ...ping, nonse: 1 } }],
    ['message.envelope.nonse', { message: { kind: 'unlock', secret: ONES, envelope: { ...(shown(ENVELOPE) as object), nonse: 1 } } }],
    ['message.path', { message: { ...(shown({ kind: 'locked', envelope: ENVELOPE, lock: { expiration: 1, amount: 1n, secretHash: ONES }, amount: 1n, fee: 0n, initiator: ONE_ADDRESS, target: ONE_ADDRESS }) as object), path: Array.from({ length: 21 }, () => ({})) } }],
    ['profile', { profile: 'v3', message: ping }],
    ['nonce', { message: { ...ping, nonce: '18446744073709551616' } }],
    ['key', { message: ping, key: '00' }],
    ['key', { message: ping }],
    ['chainId', { chainId: 'x', message: ping }],
  ])('refuses a wrong %s', async (field, input) => {
    expect(await tool(`photon encode ${V2_LINE} ${field === 'key' ? '' : `--key ${KEY1_HEX}`}`, input)).toMatchObject({ code: 1, ok: false, error: 'bad-input', field })
  })

  it('does not sign for a contract that nobody named', async () => {
    expect(await tool(`photon encode --key ${KEY1_HEX}`, { message: ping })).toMatchObject({ code: 1, field: 'chainId' })
    expect(await tool(`photon encode --chain-id 1 --key ${KEY1_HEX}`, { message: ping })).toMatchObject({ code: 1, field: 'contract' })
  })

  it('never shows a key', async () => {
    for (const [line, key] of [[`photon encode ${V2_LINE} --key ${'00'.repeat(32)}`, undefined], [`photon encode ${V2_LINE}`, 'ab'.repeat(33)]] as const)
      expect(JSON.stringify(await tool(line, { message: ping, ...(key === undefined ? {} : { key }) }))).not.toMatch(/(00|ab){30}/)
    const { code, err } = await meshbox(`tool photon encode --key ${'zz'.repeat(32)}`, { stdin: '{}' })
    expect([code, err.includes('zz')]).toEqual([2, false])
  })
})

describe('tool photon verify', () => {
  it('a packet: form, signature, sender, root, channel, signature for the contract', async () => {
    const locks = vectors.locks.map(({ hash: _hash, ...lock }) => lock)
    const packet = `0x${packets.packets.MediatedTransfer}`
    expect(await tool(`photon verify ${V1_LINE}`, { packet, sender: ONE_ADDRESS, locks })).toMatchObject({ code: 0, ok: true, checks: { form: true, signature: true, sender: true, locksroot: true } })
    expect(await tool(`photon verify ${V1_LINE}`, { packet, locks: locks.slice(1) })).toMatchObject({ code: 1, ok: false, checks: { locksroot: false, signature: true } })
    expect(await tool(`photon verify ${V1_LINE} --sender ${TWO_ADDRESS}`, packet)).toMatchObject({ code: 1, checks: { sender: false } })
    expect(await tool(`photon verify ${V1_LINE} --sender ${ONE_ADDRESS}`, packet)).toMatchObject({ code: 0, checks: { sender: true } })
    expect(await tool('photon verify --chain-id 8889', { packet, sender: ONE_ADDRESS })).toMatchObject({ code: 1, checks: { sender: false } })
    expect(await tool(`photon verify ${V1_LINE} --contract ${V1.contract}`, { packet, token: TWO_ADDRESS, partner: TWO_ADDRESS })).toMatchObject({ code: 1, checks: { channel: false } })
    expect(await tool('photon verify', packet)).toMatchObject({ code: 1, error: 'bad-input', field: 'chainId' })
    expect(await tool(`photon verify ${V1_LINE}`, { packet: `0x${packets.packets.WithdrawRequest}` })).toMatchObject({ code: 0, checks: { contractSignature: true } })
    // Withdraw terms altered after they were signed, and the packet signed again by the same key.
    const { message } = await tool('photon decode', packets.packets.WithdrawRequest)
    const forged = await tool(`photon encode ${V1_LINE} --key ${KEY1_HEX}`, { profile: 'v1', message: { ...(message as object), terms: { ...(message as { terms: object }).terms, withdraw: '9' } } })
    expect(await tool(`photon verify ${V1_LINE}`, { packet: forged['packet'] })).toMatchObject({ code: 1, checks: { signature: true, contractSignature: false } })
  })

  it('a channel that fits its token and partner', async () => {
    const { id, token, contract } = vectors.channelId
    const message = shown({ kind: 'unlock', secret: ONES, envelope: { ...ENVELOPE, channel: id } })
    const { packet } = await tool(`photon encode ${V1_LINE} --key ${KEY1_HEX}`, { profile: 'v1', message })
    expect(await tool(`photon verify ${V1_LINE}`, { packet, contract, token, partner: TWO_ADDRESS })).toMatchObject({ code: 0, checks: { channel: true } })
    expect(await tool(`photon verify ${V1_LINE}`, { packet, contract, token: contract, partner: TWO_ADDRESS })).toMatchObject({ code: 1, checks: { channel: false } })
    expect(await tool(`photon verify ${V1_LINE}`, { packet, token, partner: TWO_ADDRESS })).toMatchObject({ code: 1, field: 'contract' })
  })

  const { run, typed } = vectors
  const locksroot = `0x${'00'.repeat(32)}`
  const state = { ...(shown(KEY) as object), nonce: '11', transferred: '12', locksroot }
  it.each([
    ['balance-proof', 'v1', { ...run.proof, locksroot, extra: run.extra, signer: run.proof.signer }],
    ['update-delegation', 'v1', { ...run.delegated, locksroot, signature: run.delegated.nonClosing, signer: run.delegated.nonClosingSigner }],
    ['withdraw', 'v1', { channel: run.withdraw.channel, epoch: run.withdraw.epoch, terms: { ...run.withdraw, partner: TWO_ADDRESS }, signature: run.withdraw.signatures[1], signer: run.withdraw.signers[1] }],
    ['balance-proof', 'v2', { ...state, extra: ONES, signature: typed.balanceProof.signature, signer: ONE_ADDRESS }],
    ['update-delegation', 'v2', { ...state, reward: 5, signature: typed.updateDelegate.signature, signer: ONE_ADDRESS }],
    ['settle', 'v2', { ...state, terms: { p1: ONE_ADDRESS, balance1: 10, p2: TWO_ADDRESS, balance2: 30, validUntil: 1000 }, signature: typed.coopSettle.signature, signer: ONE_ADDRESS }],
    ['withdraw', 'v2', { ...state, terms: { participant: ONE_ADDRESS, total: 10, validUntil: 1000 }, signature: typed.withdraw.signature, signer: ONE_ADDRESS }],
    ['voucher', 'v2', { ...state, cumulative: 1000, tip: ONES, steps: 60, unit: 2, signature: typed.voucher.signature, signer: ONE_ADDRESS }],
    ['disposed', 'v2', { ...state, lockHash: ONES, extra: locksroot, signature: typed.disposed.signature, signer: ONE_ADDRESS }],
  ])('%s of %s: who signed', async (payload, profile, fields) => {
    const line = profile === 'v1' ? `photon verify ${V1_LINE}` : `photon verify ${V2_LINE}`
    expect(await tool(line, { profile, payload, ...fields })).toMatchObject({ code: 0, ok: true, payload, signer: fields.signer })
    expect(await tool(line, { profile, payload, ...fields, signer: TWO_ADDRESS })).toMatchObject({ code: 1, ok: false, signer: fields.signer })
  })

  it('locks: roots and proofs', async () => {
    const locks = vectors.locks.map(({ hash: _hash, ...lock }) => lock)
    expect(await tool('photon verify', { locks })).toMatchObject({ code: 0, root: vectors.rootOfThree, locks: [{ lockHash: vectors.locks[0]?.hash, proof: [vectors.locks[1]?.hash, vectors.locks[2]?.hash] }, {}, { proof: [vectors.rootOfTwo] }] })
    expect(await tool('photon verify', { locks, root: vectors.rootOfTwo })).toMatchObject({ code: 1, ok: false })
    const { lock, proof, root } = run.merkle
    expect(await tool('photon verify', { lock, proof, root })).toMatchObject({ code: 0, root })
    expect(await tool('photon verify', { lock: { ...lock, amount: '2' }, proof, root })).toMatchObject({ code: 1 })
    expect(await tool('photon verify', {})).toMatchObject({ code: 1, error: 'bad-input' })
  })
})

describe('tool channel-id', () => {
  const { a, b, token, contract, id } = vectors.channelId
  it('either way round, and in checksum letters', async () => {
    for (const [one, other] of [[a, b], [b, a], [`0x${a.slice(2).toUpperCase()}`, b]]) expect(await tool(`channel-id ${one} ${other} --token ${token} --contract ${contract}`)).toEqual({ code: 0, ok: true, channel: id })
  })

  it('says what is missing, with exit code 2', async () => {
    for (const line of [`${a}`, `${a} ${b}`, `${a} ${b} --token ${token}`, `${a} ${a} --token ${token} --contract ${contract}`, `${a} ${b} --token 0x12 --contract ${contract}`, `${token}x ${b} --token ${token} --contract ${contract}`])
      expect([line, (await meshbox(`tool channel-id ${line}`)).code]).toEqual([line, 2])
    for (const line of ['photon', 'photon decode --chain-id x', 'photon verify --sender 0x1', 'photon decode --contract 0x12', 'photon encode --key zz']) expect([line, (await meshbox(`tool ${line}`, { stdin: '{}' })).code]).toEqual([line, 2])
    expect((await meshbox(`tool photon verify --sender ${ONE_ADDRESS}`, { stdin: '{}' })).code).toBe(2)
  })
})

describe('as a page that shows them', () => {
  it('has no bigint and no bytes in what it prints', () => {
    const message: Message = { kind: 'direct', envelope: ENVELOPE, paymentId: null, data: Uint8Array.of(1) }
    expect(JSON.parse(JSON.stringify(shown(message)))).toMatchObject({ data: '0x01', envelope: { nonce: '11' } })
  })
})
