/**
 * The composition root: arguments → configuration → one box, started in order, stopped in reverse. Prints
 * `ready` when guests can be served. Exit codes: 0 asked to stop, 1 could not start or broke, 2 bad usage.
 */
import { MeshBoxError, asError } from './base/index.ts'
import { DEFAULT_CONFIG_PATH, startBox, type RunningBox } from './main/box.ts'

declare const __MESHBOX_VERSION__: string

const USAGE = `meshboxd: the MeshBox service
usage: meshboxd [--config FILE]
  --config FILE   configuration in UCI format (default ${DEFAULT_CONFIG_PATH})
Signals: SIGHUP reads the configuration again, SIGTERM and SIGINT stop.
To ask a running service something, use: meshbox help
`

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return void process.stdout.write(USAGE)
  const [first, path, ...rest] = args
  if ((first !== undefined && (first !== '--config' || path === undefined)) || rest.length > 0) {
    process.stderr.write(`meshboxd: unknown arguments: ${args.join(' ')}\n${USAGE}`)
    process.exitCode = 2
    return
  }
  // Listened to from the first moment: a signal during the start waits for its end instead of ending the process halfway.
  let starting: Promise<RunningBox> | undefined
  const stop = (signal: string): void => {
    starting
      ?.then((box) => box.stop(signal))
      .then(
        () => process.exit(0),
        (error: unknown) => die('could not stop cleanly', error),
      )
  }
  process.once('SIGTERM', () => stop('SIGTERM'))
  process.once('SIGINT', () => stop('SIGINT'))
  process.on('SIGHUP', () => {
    starting?.then(
      (box) => box.reload(),
      () => undefined, // a start that failed is told below
    )
  })
  starting = startBox({ configPath: path ?? DEFAULT_CONFIG_PATH, version: __MESHBOX_VERSION__, write: (line) => process.stdout.write(`${line}\n`) })
  await starting
}

/** A state we do not know is not one to go on with: leases in the kernel run on, procd starts us again. */
function die(what: string, thrown: unknown): void {
  const error = asError(thrown)
  const text = error instanceof MeshBoxError ? error.message : (error.stack ?? error.message)
  process.stderr.write(`meshboxd: ${what}: ${text}\n`)
  process.exit(1)
}

process.on('uncaughtException', (error) => die('stopped by an unexpected error', error))
process.on('unhandledRejection', (error) => die('stopped by an unexpected error', error))
main(process.argv.slice(2)).catch((error: unknown) => die('could not start', error))
