/** A node in a process of its own, to be killed. Argument: {dir, key, partnerKey}; lines in: `dial PORT`, `pay COUNT`; JSON lines out. */
import { createInterface } from 'node:readline'
import { Box, accountSigner, channelOf, keyOf, noble } from './box.ts'

const { dir, key, partnerKey } = JSON.parse(process.argv[2] ?? '') as { dir: string; key: number; partnerKey: number }
const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const partner = accountSigner(noble, keyOf(partnerKey)).account
const box = new Box({ key, dir })
const channel = channelOf(box.account, partner)
box.node.onPayment((payment) => say({ got: payment.paymentId }))
box.node.start()
await box.open(partner, 1_000_000n)
say({ port: await box.tcp.listen(0) })

for await (const line of createInterface({ input: process.stdin })) {
  const [word, value] = line.split(' ')
  if (word === 'dial') await box.tcp.dial(Number(value))
  else if (word === 'pay') void payAll(Number(value))
  else if (word === 'state') say({ inFlight: box.node.inFlight(channel), isReady: box.node.isReady(channel) })
}

/** Six at a time, as fast as it goes; what is stored is told. */
async function payAll(count: number): Promise<void> {
  let left = count
  const payer = async (): Promise<void> => {
    while (left-- > 0) {
      while (!box.node.isReady(channel)) await new Promise((resolve) => setTimeout(resolve, 5))
      try {
        const { paymentId } = await box.node.payDirect({ channel, amount: 1n })
        say({ stored: paymentId })
      } catch {
        left++ // it was not ready after all: nothing was stored
      }
    }
  }
  await Promise.all(Array.from({ length: 6 }, payer))
  say({ done: true })
}
