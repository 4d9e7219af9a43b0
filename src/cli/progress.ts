/** One line on the terminal while long work goes on; nothing when stderr is not a terminal. */
import type { CliIo } from './cli-io.ts'

const TICK_MS = 250
const FIRST_AFTER_MS = 300
const SIGNS = ['|', '/', '-', '\\'] as const

export async function withProgress<T>(io: CliIo, what: string, work: Promise<T>): Promise<T> {
  if (!io.stderrIsTty) return work
  const started = performance.now()
  let ticks = 0
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - started
    if (elapsedMs < FIRST_AFTER_MS) return
    io.stderr(`\r${SIGNS[ticks++ % SIGNS.length]} ${what} … ${Math.floor(elapsedMs / 1000)} s`)
  }, TICK_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
    if (ticks > 0) io.stderr('\r\u001b[K')
  }
}
