/** `make qemu-shell`: this terminal becomes the serial console of the router that `make qemu` runs. Ctrl-] leaves it. */
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { RUN_FOLDER } from './runner/places.ts'

const LEAVE = 0x1d

const line = createConnection(join(RUN_FOLDER, 'console'))
const leave = (code: number, text: string): void => {
  if (process.stdin.isTTY) process.stdin.setRawMode(false)
  process.stderr.write(`\r\n[qemu] ${text}\r\n`)
  process.exit(code)
}
line.on('connect', () => {
  process.stderr.write('[qemu] serial console of the router; Enter gives a prompt, Ctrl-] leaves\n')
  if (process.stdin.isTTY) process.stdin.setRawMode(true)
  line.pipe(process.stdout, { end: false })
  process.stdin.on('data', (keys: Buffer) => {
    const at = keys.indexOf(LEAVE)
    line.write(at < 0 ? keys : keys.subarray(0, at))
    if (at >= 0) leave(0, 'left; the router goes on')
  })
  process.stdin.on('end', () => leave(0, 'nothing more to type'))
})
line.on('error', (error: NodeJS.ErrnoException) => {
  const isOff = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
  leave(1, isOff ? 'no router is running; start one with `make qemu` in another terminal' : error.message)
})
line.on('close', () => leave(0, 'the router is off'))
