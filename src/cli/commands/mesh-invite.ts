/** `meshbox mesh invite`, `meshbox mesh invitations`, `meshbox mesh take-back NUMBER` */
import { argument, numberOption, usageError } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { wrap } from '../text.ts'
import { meshInvitationsText } from './mesh-text.ts'

const MAX_USES = 32
const MAX_DAYS = 366

export const meshInvite: CommandSpec = {
  words: ['mesh', 'invite'],
  summary: 'a code by which another box joins the community',
  details: `Only on the community's own box. Whoever has the code can join until it is used up, and
knows the password of the mesh for ever: hand it over, do not publish it. On the other
box: meshbox join CODE.`,
  options: [
    { name: 'uses', value: 'COUNT', help: 'boxes it is for, 1 to 32 (default 1)' },
    { name: 'days', value: 'COUNT', help: 'days that this box runs until it ends by itself' },
  ],
  run: async (context) => {
    const [uses, days] = [numberOption(context, 'uses', 1, MAX_USES), numberOption(context, 'days', 1, MAX_DAYS)]
    const made = await context.service.call('meshInvite', { body: { ...(uses === undefined ? {} : { uses }), ...(days === undefined ? {} : { days }) } })
    return { json: made, text: `${made.code}\n\n${wrap(`Invitation ${made.number}, for ${uses ?? 1} ${(uses ?? 1) === 1 ? 'box' : 'boxes'}. To end it before: meshbox mesh take-back ${made.number}`)}` }
  },
}

export const meshInvitations: CommandSpec = {
  words: ['mesh', 'invitations'],
  summary: 'codes that are not used up',
  run: async ({ service }) => {
    const invitations = await service.call('meshInvitations', {})
    return { json: invitations, text: meshInvitationsText(invitations) }
  },
}

export const meshTakeBack: CommandSpec = {
  words: ['mesh', 'take-back'],
  summary: 'a code is worth nothing from now on',
  arguments: [{ name: 'NUMBER' }],
  run: async (context) => {
    const number = argument(context, 0)
    if (!/^[1-9]\d{0,12}$/.test(number)) throw usageError(`NUMBER: '${number}' is not the number of an invitation; meshbox mesh invitations shows them`)
    const invitations = await context.service.call('meshTakeBack', { params: { id: number } })
    return { json: invitations, text: meshInvitationsText(invitations) }
  },
}
