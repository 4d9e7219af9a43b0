/**
 * Runs in the guest: loads the addons for its processor, lets them work against the real kernel and compares with
 * what they must say. `node addons.cjs <secp256k1.node> <nfnetlink.node> <udp.node>`; one line of JSON with what was checked.
 */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { hostWord, loadNfnetlink, loadSecp256k1, loadUdp } from '../../../src/native/index.ts'

const checks: { name: string; ok: boolean; detail: string }[] = []
const check = (name: string, got: unknown, expected: unknown): void => {
  const [gotText, expectedText] = [JSON.stringify(got), JSON.stringify(expected)]
  checks.push({ name, ok: gotText === expectedText, detail: gotText === expectedText ? '' : `${gotText} instead of ${expectedText}` })
}
const hex = (bytes: Uint8Array | null): string => (bytes === null ? 'null' : Buffer.from(bytes).toString('hex'))

const ROUNDS = 16
const noble = loadSecp256k1(null)

/** Numbers that look random and are the same on every machine. */
function scalar(seed: number): Uint8Array {
  return noble.keccak256(Buffer.from(`scalar ${seed}`))
}

async function signatures(path: string): Promise<void> {
  const native = loadSecp256k1(path)
  check('secp256k1: is the addon', native.backend, 'native')
  for (let round = 0; round < ROUNDS; round++) {
    const [digest, key] = [scalar(2 * round), scalar(2 * round + 1)]
    const signature = noble.sign(digest, key)
    const publicKey = noble.publicKeyOf(key)
    check(`sign ${round}`, hex(native.sign(digest, key)), hex(signature))
    check(`recover ${round}`, hex(native.recover(digest, signature)), hex(publicKey))
    check(`keccak ${round}`, hex(native.keccak256(signature)), hex(noble.keccak256(signature)))
    check(`ecdh ${round}`, hex(native.sharedSecret(publicKey, digest)), hex(noble.sharedSecret(publicKey, digest)))
  }
  const digests = Buffer.concat(Array.from({ length: ROUNDS }, (_, round) => scalar(round)))
  check('signatures in the pool', hex(await native.signBatchInPool(digests, scalar(99))), hex(noble.signBatch(digests, scalar(99))))
}

async function sets(path: string): Promise<void> {
  const nft = (...words: string[]): string => execFileSync('nft', words, { encoding: 'utf8' })
  nft('add table inet addons; add set inet addons paid { type mark; flags timeout; counter; }')
  const table = { family: 'inet', table: 'addons' } as const
  const set = { ...table, set: 'paid' }
  const netlink = loadNfnetlink(path)?.open()
  if (netlink === undefined) throw new Error(`${path} was not loaded`)
  try {
    const elements = Array.from({ length: 500 }, (_, index) => ({ key: hostWord(index + 1), timeoutMs: 600_000 }))
    await netlink.commit([{ op: 'add-elements', ...set, elements }])
    const dumped = await netlink.dumpElements(set)
    check('nfnetlink: elements added and dumped', new Set(dumped.map((element) => hex(element.key))).size, 500)
    check('nfnetlink: all with the time they were given', dumped.every((element) => element.expiresMs !== null && element.expiresMs > 0 && element.expiresMs <= 600_000), true)
    check('nfnetlink: nft sees them', (nft('list', 'set', 'inet', 'addons', 'paid').match(/expires/g) ?? []).length, 500)
    await netlink.commit([{ op: 'delete-elements', ...set, elements: elements.slice(1).map(({ key }) => ({ key })) }])
    check('nfnetlink: elements deleted', (await netlink.dumpElements(set)).length, 1)
    const refused = await netlink.commit([{ op: 'delete-elements', ...set, elements: [{ key: hostWord(7) }] }]).then(
      () => 'nothing',
      (error: unknown) => (error as { errno?: string }).errno,
    )
    check('nfnetlink: what is not there is refused', refused, 'ENOENT')
    const before = await netlink.generation()
    nft('add', 'table', 'inet', 'addons2')
    check('nfnetlink: sees the changes of others', (await netlink.generation()) > before, true)
  } finally {
    await netlink.close()
    nft('delete table inet addons')
  }
}

async function datagrams(path: string): Promise<void> {
  for (const [address, to] of [['127.0.0.1', '127.0.0.1'], ['::', '127.0.0.1']] as const) {
    const lengths: number[] = []
    const hosts = new Set<string>()
    const socket = loadUdp(path)?.({ address, port: 0, receiveBytes: 1 << 18, closeMs: 5, gatherMs: 1 }, (from, count) => {
      for (let slot = 0; slot < count; slot++) {
        lengths.push(from.bytes(slot).length)
        hosts.add(from.from(slot).host)
        from.mark(slot, from.bytes(slot).slice(0, 4))
      }
      from.answer()
    })
    if (socket === undefined) throw new Error(`${path} was not loaded`)
    const sender = createSocket('udp4')
    const answers: string[] = []
    try {
      await new Promise<void>((resolve) => {
        sender.on('message', (bytes) => {
          if (answers.push(hex(bytes)) === 5) resolve()
        })
        for (let n = 1; n <= 5; n++) sender.send(new Uint8Array(n === 5 ? 9_000 : 4 * n).fill(n), socket.port, to)
      })
    } finally {
      sender.close()
      socket.close()
    }
    check(`udp ${address}: datagrams as they were sent`, lengths, [4, 8, 12, 16, 9_000])
    check(`udp ${address}: from whom`, [...hosts], [to])
    check(`udp ${address}: answers`, answers, ['01010101', '02020202', '03030303', '04040404', '05050505'])
  }
}

async function main([secp256k1 = '', nfnetlink = '', udp = '']: readonly string[]): Promise<void> {
  for (const part of [() => signatures(secp256k1), () => sets(nfnetlink), () => datagrams(udp)])
    try {
      await part()
    } catch (error) {
      checks.push({ name: 'ran to its end', ok: false, detail: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  console.log(JSON.stringify({ checks }))
}

void main(process.argv.slice(2))
