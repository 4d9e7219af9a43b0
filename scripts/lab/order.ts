/** An order to a box by its command line, which must succeed. */
import type { Service } from '../../test/support/town-services.ts'

/** A box that is asked for what the chain cannot prove at the moment refuses, and says how long to wait. */
const WAIT = /\(wait (\d+) s\)/
const MOST_TRIES = 6

/** What it printed. Where the box says to wait, it is asked again, some times. Errors: the box's words. */
export async function order(service: Pick<Service, 'cli'>, words: readonly string[], pause: (seconds: number) => Promise<void> = sleep): Promise<string> {
  for (let tries = 1; ; tries++) {
    const done = await service.cli(...words)
    if (done.code === 0) return done.stdout
    const seconds = WAIT.exec(done.stderr)?.[1]
    if (seconds === undefined || tries === MOST_TRIES) throw new Error(`meshbox ${words.join(' ')}: ${done.stderr || done.stdout}`)
    await pause(Number(seconds))
  }
}

function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
