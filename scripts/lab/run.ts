/**
 * `make run`: starts the lab (lab.ts) out of reach of the terminal's Ctrl-C. A terminal gives that to every program at once, so boxes and sensors would be
 * gone before the lab could compare their books and take its town away.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const lab = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'lab.ts'), ...process.argv.slice(2)], { detached: true, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => lab.kill('SIGTERM'))
lab.once('error', (error) => {
  console.error(`run: ${error.message}`)
  process.exit(1)
})
lab.once('exit', (code) => process.exit(code ?? 1))
