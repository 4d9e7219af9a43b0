/**
 * The three files of our own mosquitto (2.0, mosquitto.conf(5)). A listener on loopback for the service, without a password; listeners
 * outward with names, passwords, rights and, where the owner wants it, TLS.
 *
 * - Rights are per name, what is not given is denied; no patterns, so that no name with a `+` in it means more than itself.
 * - Outward the client's id is its name: nobody can take the id of another, or of the service, and throw it out.
 * - No option of a listener stands before the first `listener`: mosquitto would open one more for it, on port 1883 of every address.
 * - Nothing is written to flash, and everything has a bound.
 */
import { inputError } from '../../../base/index.ts'
import type { TenantId } from '../../ports.ts'

export interface BrokerListener {
  readonly address: string
  readonly port: number
  /** PEM files; null: plain. */
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null
}

export interface BrokerUser {
  readonly name: string
  /** `$7$…`, of password.ts. */
  readonly passwordHash: string
  /** The owner's own programs (Home Assistant, a phone), or one tenant, who sees only what is his. */
  readonly may: { readonly kind: 'owner' } | { readonly kind: 'tenant'; readonly tenant: TenantId }
}

export interface BrokerPlan {
  readonly loopbackPort: number
  readonly listeners: readonly BrokerListener[]
  readonly users: readonly BrokerUser[]
  /** Of the own topics. */
  readonly topicPrefix: string
  /** Whom it becomes when it was started by root. */
  readonly systemUser: string
}

export interface BrokerFiles {
  readonly configuration: string
  readonly passwords: string
  readonly rights: string
}

const MAX_BROKER_PACKET_BYTES = 64 * 1024
/** Who fetches his frames here has a connection of the service's for each gateway: so many tenants, and so many gateways of each. */
export const MAX_BROKER_TENANTS = 64
export const MAX_BROKER_GATEWAYS = 8
/** The service's own, and programs on the box. */
const OTHER_CLIENTS = 64
const MAX_LOOPBACK_CLIENTS = MAX_BROKER_TENANTS * MAX_BROKER_GATEWAYS + OTHER_CLIENTS
const MAX_USERS = 256
/** A name is connected once; and some who have not said theirs yet. With those on loopback below the 1,024 files that a process may have open. */
const MAX_OUTWARD_CLIENTS = MAX_USERS + 32

/** `folder`: where the other two files lie. Errors: input, naming what mosquitto would misread. */
export function brokerFiles(plan: BrokerPlan, folder: string): BrokerFiles {
  checkPath('folder', folder)
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(plan.systemUser)) throw inputError('systemUser', plan.systemUser, 'a name of a user')
  checkTopicPrefix(plan.topicPrefix)
  if (plan.users.length > MAX_USERS) throw inputError('users', plan.users.length, `at most ${MAX_USERS}`)
  for (const user of plan.users) checkUser(user)
  if (new Set(plan.users.map(({ name }) => name)).size < plan.users.length) throw inputError('users', plan.users.map(({ name }) => name).join(' '), 'each name once')
  return { configuration: configurationText(plan, folder), passwords: plan.users.map(({ name, passwordHash }) => `${name}:${passwordHash}\n`).join(''), rights: plan.users.map((user) => rightsText(user, plan.topicPrefix)).join('\n') }
}

function configurationText(plan: BrokerPlan, folder: string): string {
  return [
    'per_listener_settings true',
    `user ${plan.systemUser}`,
    'persistence false',
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    // guests.ts reads who is there, and for what.
    'log_type notice',
    'log_type subscribe',
    'log_type unsubscribe',
    'log_timestamp false',
    'connection_messages true',
    'sys_interval 0',
    `message_size_limit ${MAX_BROKER_PACKET_BYTES}`,
    `max_packet_size ${MAX_BROKER_PACKET_BYTES + 1_024}`,
    'max_queued_messages 1000',
    'max_queued_bytes 1048576',
    'max_inflight_messages 20',
    'max_keepalive 3600',
    'memory_limit 33554432',
    'persistent_client_expiration 1d',
    'retain_available true',
    '',
    ...listenerLines({ address: '127.0.0.1', port: plan.loopbackPort, tls: null }, MAX_LOOPBACK_CLIENTS),
    'allow_anonymous true',
    ...plan.listeners.flatMap((listener) => [
      '',
      ...listenerLines(listener, MAX_OUTWARD_CLIENTS),
      'allow_anonymous false',
      'use_username_as_clientid true',
      `password_file ${folder}/passwords`,
      `acl_file ${folder}/rights`,
      ...(listener.tls === null ? [] : [`certfile ${checkPath('certificateFile', listener.tls.certificateFile)}`, `keyfile ${checkPath('keyFile', listener.tls.keyFile)}`, 'tls_version tlsv1.2']),
    ]),
    '',
  ].join('\n')
}

function listenerLines({ address, port }: BrokerListener, mostClients: number): readonly string[] {
  if (!/^[0-9A-Fa-f.:]{2,45}$/.test(address)) throw inputError('listen.address', address, 'an IP address')
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw inputError('listen.port', port, '1 to 65535')
  return [`listener ${port} ${address}`, `max_connections ${mostClients}`, `socket_domain ${address.includes(':') ? 'ipv6' : 'ipv4'}`, 'allow_zero_length_clientid false']
}

function rightsText({ name, may }: BrokerUser, prefix: string): string {
  const topics =
    may.kind === 'owner'
      ? [`readwrite ${prefix}/#`, 'readwrite homeassistant/#']
      : [`read tenant/${may.tenant}/gateway/+/event/#`, `read tenant/${may.tenant}/gateway/+/state/#`, `read tenant/${may.tenant}/receipt`, `write tenant/${may.tenant}/gateway/+/command/#`]
  return `user ${name}\n${topics.map((topic) => `topic ${topic}\n`).join('')}`
}

function checkUser({ name, passwordHash, may }: BrokerUser): void {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw inputError('user', name, 'lower-case letters, digits and -, at most 32')
  if (!/^\$7\$[0-9]{1,6}\$[A-Za-z0-9+/=]{1,200}\$[A-Za-z0-9+/=]{88}$/.test(passwordHash)) throw inputError('passwordHash', '(not shown)', 'a hash of hashPassword')
  if (may.kind === 'tenant' && !/^[a-z0-9-]{1,32}$/.test(may.tenant)) throw inputError('tenant', may.tenant, 'lower-case letters, digits and -, at most 32')
}

/** Also of the topics that we publish. Errors: input `topicPrefix`. */
export function checkTopicPrefix(prefix: string): string {
  const [first] = prefix.split('/')
  if (!/^[A-Za-z0-9_-]{1,32}(\/[A-Za-z0-9_-]{1,32}){0,3}$/.test(prefix) || first === 'tenant' || first === 'homeassistant') throw inputError('topicPrefix', prefix, 'letters, digits, - and _, in up to four levels; not tenant, not homeassistant')
  return prefix
}

/** Spaces would be fine for mosquitto, line ends not. */
function checkPath(field: string, path: string): string {
  if (!/^\/[\w./ -]{1,400}$/.test(path)) throw inputError(field, path, 'an absolute path of plain characters')
  return path
}
