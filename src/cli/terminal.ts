/** The real terminal behind CliIo. */
import { MeshBoxError } from '../base/index.ts'
import type { CliIo } from './cli-io.ts'

const ENTER = new Set(['\r', '\n'])
const BACKSPACE = new Set(['\u0008', '\u007f'])
const INTERRUPT = '\u0003'
const END = '\u0004'
const MAX_SECRET_CHARS = 1024

export function terminalIo(): CliIo {
  // `meshbox sessions | head` closes our output early: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readStdin,
    readSecret,
    stdinIsTty: process.stdin.isTTY === true,
    stderrIsTty: process.stderr.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
  }
}

async function readStdin(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new MeshBoxError('limit', `standard input is larger than ${maxBytes} bytes`, { code: 'too-large' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  return new Promise((resolve, reject) => {
    let secret = ''
    const end = (settle: () => void): void => {
      stdin.off('data', take)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      settle()
    }
    const take = (text: string): void => {
      for (const char of text) {
        if (ENTER.has(char)) return end(() => resolve(secret))
        if (char === INTERRUPT || char === END) return end(() => reject(new MeshBoxError('input', 'given up; nothing was changed', { code: 'given-up' })))
        if (BACKSPACE.has(char)) secret = [...secret].slice(0, -1).join('')
        else if (secret.length < MAX_SECRET_CHARS) secret += char
      }
    }
    stdin.on('data', take)
  })
}
