/** `meshbox rule list | try | set | remove | runs` */
import { argument, hasFlag, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { plain, wrap } from '../text.ts'
import { rulesText, runsText, wordArgument } from './iot-text.ts'

const SENTENCE = `TEXT is a sentence:
  if soil of field-3 < 20 for 10 min set pump-1 {"open":true} for 10 min
    then {"open":false} wait 1 h confirmed
What the watched device's value must be, for how long; what the other device's codec is
given, for how long, and what then. docs/iot.md`

export const ruleList: CommandSpec = {
  words: ['rule', 'list'],
  isDefault: true,
  summary: 'what the box does by itself',
  run: async ({ service }) => {
    const reply = await service.call('iotRules', {})
    return { json: reply, text: rulesText(reply.rules) }
  },
}

export const ruleTry: CommandSpec = {
  words: ['rule', 'try'],
  summary: 'what a rule would have done with the readings that are kept',
  details: SENTENCE,
  arguments: [{ name: 'TEXT' }],
  run: async (context) => {
    const trial = await context.service.call('tryIotRule', { body: { text: argument(context, 0) } })
    return { json: trial, text: [wrap(plain(trial.text)), '', `With ${trial.readings} readings it would have run ${trial.runs.length} times.`, ...trial.runs.map(({ because }) => wrap(plain(because), '  '))].join('\n') }
  },
}

export const ruleSet: CommandSpec = {
  words: ['rule', 'set'],
  summary: 'takes a rule, as a dry run; with --live it acts',
  details: `Only a rule that is there unchanged as a dry run can go live: set it, look at its runs, set
it again with --live.
${SENTENCE}`,
  arguments: [{ name: 'ID' }, { name: 'TEXT' }],
  options: [
    { name: 'name', value: 'NAME', help: 'what it is called' },
    { name: 'live', help: 'it acts' },
    { name: 'pause', help: 'it looks away' },
  ],
  run: async (context) => {
    const id = wordArgument(argument(context, 0), 'ID')
    const rule = await context.service.call('putIotRule', { body: { id, name: textOption(context, 'name') ?? id, text: argument(context, 1), isLive: hasFlag(context, 'live'), isPaused: hasFlag(context, 'pause') } })
    return { json: rule, text: rulesText([rule]) }
  },
}

export const ruleRemove: CommandSpec = {
  words: ['rule', 'remove'],
  summary: 'switches off what it has switched on, and forgets it',
  arguments: [{ name: 'ID' }],
  run: async (context) => {
    const reply = await context.service.call('removeIotRule', { params: { id: wordArgument(argument(context, 0), 'ID') } })
    return { json: reply, text: rulesText(reply.rules) }
  },
}

export const ruleRuns: CommandSpec = {
  words: ['rule', 'runs'],
  summary: 'what rules did, newest first',
  run: async ({ service }) => {
    const { runs } = await service.call('iotRules', {})
    return { json: { runs }, text: runsText(runs) }
  },
}
