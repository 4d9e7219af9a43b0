/** `meshbox mqtt status`, `mqtt users`, `mqtt user add | remove` */
import { argument, textOption } from '../command.ts'
import type { CommandSpec } from '../command.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit-codes.ts'
import { pairs, plain, table, wrap } from '../text.ts'
import { wordArgument } from './iot-text.ts'

export const mqttStatus: CommandSpec = {
  words: ['mqtt', 'status'],
  isDefault: true,
  summary: 'is the broker there, and what waits for it',
  details: 'Exit code 1 while it is not.',
  run: async ({ service }) => {
    const { broker } = await service.call('iot', {})
    const text = pairs([
      ['Broker', broker.kind === 'own' ? "the box's own mosquitto" : broker.kind === 'url' ? 'another' : 'off'],
      ['Connected', broker.isConnected ? 'yes' : 'NO'],
      ['Problem', broker.problem === null ? 'none' : plain(broker.problem)],
      ['Waiting', `${broker.unpublished} readings`],
    ])
    return { json: broker, text, exitCode: broker.problem === null ? EXIT_OK : EXIT_FAILED }
  },
}

function usersText(users: readonly { readonly name: string; readonly tenant: string | null }[]): string {
  if (users.length === 0) return wrap('No names. Programs on the box itself need none; for others: meshbox mqtt user add NAME')
  return table([{ title: 'NAME' }, { title: 'MAY', stretch: true }], users.map(({ name, tenant }) => [name, tenant === null ? "all of the owner's topics" : `topics of the tenant ${tenant}`]))
}

export const mqttUsers: CommandSpec = {
  words: ['mqtt', 'users'],
  summary: "names on the box's own broker",
  run: async ({ service }) => {
    const reply = await service.call('iotBrokerUsers', {})
    return { json: reply, text: usersText(reply.users) }
  },
}

export const mqttUserAdd: CommandSpec = {
  words: ['mqtt', 'user', 'add'],
  summary: 'a name on the broker, or a new password for one',
  details: 'The password is shown once and is nowhere on the box. A tenant sees his own topics alone.',
  arguments: [{ name: 'NAME' }],
  options: [{ name: 'tenant', value: 'ID', help: "of this tenant (default: the owner's own programs)" }],
  run: async (context) => {
    const tenant = textOption(context, 'tenant')
    const made = await context.service.call('addIotBrokerUser', { body: { name: wordArgument(argument(context, 0), 'NAME'), ...(tenant === undefined ? {} : { tenant: wordArgument(tenant, '--tenant') }) } })
    return { json: made, text: `${made.password}\n\n${wrap(`The password of ${made.name}. It is shown here and never again.`)}` }
  },
}

export const mqttUserRemove: CommandSpec = {
  words: ['mqtt', 'user', 'remove'],
  summary: 'a name is let in no more',
  arguments: [{ name: 'NAME' }],
  run: async (context) => {
    const reply = await context.service.call('removeIotBrokerUser', { params: { id: wordArgument(argument(context, 0), 'NAME') } })
    return { json: reply, text: usersText(reply.users) }
  },
}
