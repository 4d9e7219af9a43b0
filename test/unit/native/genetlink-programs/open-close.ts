/**
 * Opens and closes the door many times, with requests under way. Prints how many threads and descriptors there are
 * afterwards beyond those after the first times. Usage: node open-close.ts <addon> <times>
 */
import { readdirSync } from 'node:fs'
import { loadGenetlink } from '../../../../src/native/index.ts'

const [path = '', times = '100'] = process.argv.slice(2)
const door = loadGenetlink(path)

async function once(index: number): Promise<void> {
  const netlink = await door.open()
  const asked = Promise.allSettled(Array.from({ length: index % 5 }, () => netlink.families()))
  if (index % 2 === 0) await netlink.interfaceIndex('lo')
  netlink.close()
  await asked
}

const count = (folder: string): number => readdirSync(folder).length
const now = (): { threads: number; descriptors: number } => ({ threads: count('/proc/self/task'), descriptors: count('/proc/self/fd') })

/** A closed door's thread ends as soon as the kernel lets it. */
async function settledAt(goal: ReturnType<typeof now>): Promise<ReturnType<typeof now>> {
  for (let look = 0; look < 1000; look++) {
    const seen = now()
    if (seen.threads <= goal.threads && seen.descriptors <= goal.descriptors) return seen
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return now()
}

const none = now()
for (let i = 0; i < 10; i++) await once(i)
const before = await settledAt(none)
for (let i = 0; i < Number(times); i++) await once(i)
const after = await settledAt(before)
console.log(JSON.stringify({ newThreads: Math.max(0, after.threads - before.threads), newDescriptors: Math.max(0, after.descriptors - before.descriptors) }))
