/** Long answers are made in steps: between two of them others have their turn on the event loop. */
import type { RpcPorts } from './ports.ts'

export function turn(ports: Pick<RpcPorts, 'timers'>): Promise<void> {
  return new Promise((resolve) => void ports.timers.after(0, resolve))
}

/** In steps of `perTurn`; the order stays. */
export async function mapInTurns<T, U>(ports: Pick<RpcPorts, 'timers'>, items: readonly T[], perTurn: number, make: (item: T, index: number) => U): Promise<U[]> {
  const made: U[] = []
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % perTurn === 0) await turn(ports)
    made.push(make(item, index))
  }
  return made
}
