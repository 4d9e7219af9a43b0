/** `meshbox config check FILE`: needs no service. */
import { resolve } from 'node:path'
import { argument } from '../command.ts'
import type { CommandSpec } from '../command.ts'

export const configCheck: CommandSpec = {
  words: ['config', 'check'],
  summary: 'check a configuration, name every problem',
  details: 'Works without the service and changes nothing. Exit code 1 when it is not valid.',
  arguments: [{ name: 'FILE' }],
  run: async (context) => {
    const file = argument(context, 0)
    const { ConfigError, loadConfig, problemLine, readConfigFile } = await import('../../config/index.ts')
    try {
      const config = loadConfig(readConfigFile(resolve(context.io.cwd, file)), file)
      return { json: { valid: true, problems: [] }, text: `${file} is valid (packages: ${config.packages.length}, roles: ${config.main.roles.join(', ') || 'none'})` }
    } catch (thrown) {
      if (!(thrown instanceof ConfigError)) throw thrown
      const count = thrown.problems.length === 1 ? '1 problem' : `${thrown.problems.length} problems`
      return { json: { valid: false, problems: thrown.problems }, text: [...thrown.problems.map(problemLine), `${file} is not valid: ${count}`].join('\n'), exitCode: 1 }
    }
  },
}
