/** The command line of the box. */
export { runCli } from './main.ts'
export { terminalIo } from './terminal.ts'
export type { CliIo } from './cli-io.ts'
