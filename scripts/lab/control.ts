/**
 * The lab's own control socket, in its temporary folder, root only: one line in, lines out. It is no part of the product: what it does,
 * it does as the hand that pulls a cable or a plug, or as a guest.
 */
import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'

const MAX_LINE = 200
const PATIENCE_MS = 120_000

export interface Command {
  readonly usage: string
  readonly help: string
  /** While the story is told, what breaks things waits: the story would fail by it. */
  readonly mayInterrupt: boolean
  /** What it says when it is done. Errors: a sentence for the terminal. */
  run(words: readonly string[]): Promise<string>
}

export interface Answer {
  readonly ok: boolean
  readonly text: string
}

export class Control {
  readonly #server: Server
  readonly #commands: ReadonlyMap<string, Command>
  readonly #isTelling: () => boolean
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(server: Server, commands: ReadonlyMap<string, Command>, isTelling: () => boolean) {
    this.#server = server
    this.#commands = commands
    this.#isTelling = isTelling
  }

  static async start(path: string, commands: ReadonlyMap<string, Command>, isTelling: () => boolean): Promise<Control> {
    const server = createServer()
    const control = new Control(server, commands, isTelling)
    server.on('connection', (socket) => {
      socket.setTimeout(PATIENCE_MS, () => socket.destroy())
      socket.on('error', () => socket.destroy())
      createInterface({ input: socket }).once('line', (line) => {
        void control.#answer(line.slice(0, MAX_LINE)).then((said) => socket.end(`${JSON.stringify(said)}\n`))
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    chmodSync(path, 0o600)
    return control
  }

  /** One after the other: a box is not started while it is being killed. */
  #answer(line: string): Promise<Answer> {
    const answer = this.#tail.then(() => obey(line, this.#commands, this.#isTelling()))
    this.#tail = answer
    return answer
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

/** What one line brings about. */
export async function obey(line: string, commands: ReadonlyMap<string, Command>, isTelling: boolean): Promise<Answer> {
  const [verb = '', ...words] = line.split(/\s+/).filter((word) => word !== '')
  const command = commands.get(verb)
  const list = [...commands.values()].map(({ usage, help }) => `  ${usage.padEnd(18)} ${help}`).join('\n')
  if (command === undefined) return { ok: verb === '' || verb === 'help', text: verb === '' || verb === 'help' ? `make lab ARGS="COMMAND", where COMMAND is:\n${list}` : `there is no command '${verb}'; allowed:\n${list}` }
  if (isTelling && !command.mayInterrupt) return { ok: false, text: `'${verb}' would break the story that is being told; wait until the first terminal says "The town stays up". Meanwhile: status` }
  try {
    return { ok: true, text: await command.run(words) }
  } catch (error) {
    return { ok: false, text: `${verb}: ${error instanceof Error ? error.message : String(error)}` }
  }
}
