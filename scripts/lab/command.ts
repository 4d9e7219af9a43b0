/** `make lab ARGS="COMMAND"`: says one line to the running town's control socket, prints what it answers. */
import { createConnection } from 'node:net'
import { readState } from './town.ts'

const PATIENCE_MS = 150_000

const state = readState()
if (state === null) {
  console.error('lab: no town is running; start one with `make run` in another terminal (as root)')
  process.exit(1)
}
const words = process.argv.slice(2).join(' ')
if (words.includes('\n')) {
  console.error('lab: a command is one line')
  process.exit(2)
}
const socket = createConnection(state.control)
let answer = ''
socket.setEncoding('utf8')
socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer after ${PATIENCE_MS / 1000} s`)))
socket.on('error', (error) => {
  console.error(`lab: the town at ${state.control} does not answer (${error.message}); it may be ending. Only root may ask it`)
  process.exit(1)
})
socket.on('data', (part: string) => (answer += part))
socket.on('end', () => {
  const { ok, text } = JSON.parse(answer) as { ok: boolean; text: string }
  ;(ok ? console.log : console.error)(text)
  process.exit(ok ? 0 : 1)
})
socket.write(`${words}\n`)
