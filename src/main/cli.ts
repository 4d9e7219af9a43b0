/** The program `meshbox`: the command line on the terminal it was started from. */
import { runCli, terminalIo } from '../cli/index.ts'

void runCli(process.argv.slice(2), terminalIo()).then((code) => {
  process.exitCode = code
})
