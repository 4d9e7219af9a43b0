/**
 * `make guest`: a shell, or one command, as a guest of the running town.
 *   make guest                         a shell in guest 2's namespace
 *   make guest ARGS="1 curl http://shop.example/"
 */
import { spawnSync } from 'node:child_process'
import { readState } from './town.ts'

const words = process.argv.slice(2)
const state = readState()
if (!state) {
  console.error('guest: no town is running; start one with `make run` in another terminal (as root)')
  process.exit(1)
}
const index = /^\d+$/.test(words[0] ?? '') ? Number(words.shift()) : 2
const namespace = state.guests[index - 1]
if (namespace === undefined) {
  console.error(`guest: there is no guest ${index}; allowed: 1 to ${state.guests.length}`)
  process.exit(2)
}
if (words.length === 0) {
  console.log(`You are guest ${index}. Try: curl -i http://shop.example/   then open the page it names; exit with Ctrl-D.`)
  words.push(process.env.SHELL ?? '/bin/sh')
}
const result = spawnSync('ip', ['netns', 'exec', namespace, ...words], { stdio: 'inherit' })
process.exit(result.status ?? 1)
