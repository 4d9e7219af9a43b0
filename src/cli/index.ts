/**
 * The command line of the box. `runCli(argv, io)` never throws: it answers with an exit code, and text or one JSON document. It talks to the
 * running service over the control socket, except the tools, which need no box. docs/cli.md
 */
export { runCli } from './main.ts'
export { terminalIo } from './terminal.ts'
export type { CliIo } from './cli-io.ts'
