/** `meshbox identity words` */
import type { CommandSpec } from '../command.ts'
import { wordsText } from './words-text.ts'

export const identityWords: CommandSpec = {
  words: ['identity', 'words'],
  summary: "recovery words of the box, shown only once",
  details: `Write them down on paper before you go on: afterwards the box does not have them
any more. They bring the key back on another box; whoever knows them has the key.`,
  run: async ({ service }) => {
    const answer = await service.call('identityWords', {})
    return { json: answer, text: `${wordsText(answer.words)}\n\nWrite them down now: they cannot be shown again.` }
  },
}
