/** A port of 127.0.0.1 for the emulator to forward. */
import { createServer } from 'node:net'
import { BuildError } from '../../scripts/native/run.ts'

/** The wanted one if nobody has it, or any that is free. */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', () => (wanted === 0 ? reject(new BuildError('no free port on 127.0.0.1')) : resolve(freePort(0))))
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : wanted))
    })
  })
}
