/**
 * Sparkplug B 3.0, the optional profile: what an edge node says, as `(state, event) → {state, messages}`. The node is the box, its devices are
 * devices. `spBv1.0/<group>/<type>/<node>[/<device>]`; `seq` counts 0 to 255 from each NBIRTH on; `bdSeq` ties an NBIRTH to the
 * NDEATH that was left as last will. Readings that come late carry `is_historical`.
 * Message layout: sparkplug_b.proto (proto2).
 */
import { inputError } from '../../base/index.ts'
import type { MqttMessage, Reading, Value } from '../ports.ts'
import { encodeMessage } from './protobuf.ts'
import type { Message, Schema } from './protobuf.ts'

const METRIC: Schema = {
  name: 'Metric',
  proto2: true,
  fields: [
    { no: 1, name: 'name', type: 'string' },
    { no: 3, name: 'timestamp', type: 'u64' },
    { no: 4, name: 'datatype', type: 'u32' },
    { no: 5, name: 'isHistorical', type: 'bool' },
    { no: 7, name: 'isNull', type: 'bool' },
    { no: 11, name: 'longValue', type: 'u64' },
    { no: 13, name: 'doubleValue', type: 'double' },
    { no: 14, name: 'booleanValue', type: 'bool' },
    { no: 15, name: 'stringValue', type: 'string' },
  ],
}
export const SPARKPLUG_PAYLOAD: Schema = {
  name: 'Payload',
  proto2: true,
  fields: [
    { no: 1, name: 'timestamp', type: 'u64' },
    { no: 2, name: 'metrics', type: { message: METRIC }, isRepeated: true },
    { no: 3, name: 'seq', type: 'u64' },
  ],
}

const UINT64 = 8
const DOUBLE = 10
const BOOLEAN = 11
const STRING = 12
const SEQ_MODULUS = 256
export const REBIRTH = 'Node Control/Rebirth'

export interface SparkplugState {
  readonly group: string
  readonly node: string
  readonly bdSeq: number
  readonly seq: number
  /** Metrics that each living device was born with, and their types. */
  readonly born: ReadonlyMap<string, ReadonlyMap<string, number>>
}

export interface SparkplugStep {
  readonly state: SparkplugState
  readonly messages: readonly MqttMessage[]
}

/** Errors: input: names become levels of topics. */
export function newSparkplug(group: string, node: string): SparkplugState {
  for (const [field, name] of [['sparkplugGroup', group], ['node', node]] as const) if (!/^[\w-]{1,64}$/.test(name)) throw inputError(field, name, 'letters, digits, - and _, at most 64')
  return { group, node, bdSeq: SEQ_MODULUS - 1, seq: 0, born: new Map() }
}

/** Before each try to connect: the state to be born with, and the last will that goes with it. */
export function connecting(state: SparkplugState): { readonly state: SparkplugState; readonly will: MqttMessage } {
  const next: SparkplugState = { ...state, bdSeq: (state.bdSeq + 1) % SEQ_MODULUS, born: new Map() }
  return { state: next, will: { topic: topicOf(next, 'NDEATH'), payload: encodeMessage(SPARKPLUG_PAYLOAD, { metrics: [bdSeqOf(next)] }), qos: 1, isRetained: false } }
}

/** Connected, or told to be born again by NCMD `Node Control/Rebirth`: everybody is, with what is known of him. */
export function bornNode(state: SparkplugState, devices: readonly { readonly name: string; readonly values: readonly Value[] }[], nowMs: number): SparkplugStep {
  let next: SparkplugState = { ...state, seq: 0, born: new Map() }
  const metrics = [bdSeqOf(next), { name: REBIRTH, timestamp: BigInt(Math.floor(nowMs)), datatype: BOOLEAN, booleanValue: false }]
  const messages: MqttMessage[] = [message(next, 'NBIRTH', null, metrics, nowMs)]
  next = { ...next, seq: 1 }
  for (const device of devices) {
    const step = bornDevice(next, device.name, device.values, nowMs)
    next = step.state
    messages.push(...step.messages)
  }
  return { state: next, messages }
}

/** A device that has a new kind of value is born again first: a metric that was not in the birth is not heard. */
export function tell(state: SparkplugState, reading: Reading, nowMs: number): SparkplugStep {
  const { devEui: device, values } = reading
  if (values === null || values.length === 0) return { state, messages: [] }
  const known = state.born.get(device)
  if (known === undefined || values.some((value) => known.get(value.name) !== datatypeOf(value))) {
    if (!reading.isLate) return bornDevice(state, device, values, nowMs)
    // What is old must not be taken for what is now: born without values, then told as history.
    const birth = bornDevice(state, device, values, nowMs, true)
    const told = tell(birth.state, reading, nowMs)
    return { state: told.state, messages: [...birth.messages, ...told.messages] }
  }
  const metrics = values.map((value) => ({ ...metricOf(value, reading.at.wallMs), ...(reading.isLate ? { isHistorical: true } : {}) }))
  return { state: advanced(state), messages: [message(state, 'DDATA', device, metrics, nowMs)] }
}

/** It has been silent too long, or was removed. */
export function died(state: SparkplugState, device: string, nowMs: number): SparkplugStep {
  if (!state.born.has(device)) return { state, messages: [] }
  const born = new Map(state.born)
  born.delete(device)
  return { state: { ...advanced(state), born }, messages: [message(state, 'DDEATH', device, [], nowMs)] }
}

/** With everything it ever had: what is not known now is null. */
function bornDevice(state: SparkplugState, device: string, values: readonly Value[], nowMs: number, isEmpty = false): SparkplugStep {
  const types = new Map([...(state.born.get(device) ?? []), ...values.map((value) => [value.name, datatypeOf(value)] as const)])
  const given = new Map(isEmpty ? [] : values.map((value) => [value.name, metricOf(value, nowMs)]))
  const metrics = [...types].map(([name, datatype]) => given.get(name) ?? { name, timestamp: BigInt(Math.floor(nowMs)), datatype, isNull: true })
  return { state: { ...advanced(state), born: new Map(state.born).set(device, types) }, messages: [message(state, 'DBIRTH', device, metrics, nowMs)] }
}

function metricOf(value: Value, wallMs: number): Message {
  const head = { name: value.name, timestamp: BigInt(Math.max(0, Math.floor(wallMs))), datatype: datatypeOf(value) }
  if (typeof value.value === 'boolean') return { ...head, booleanValue: value.value }
  return typeof value.value === 'string' ? { ...head, stringValue: value.value } : { ...head, doubleValue: value.value }
}

function datatypeOf({ value }: Value): number {
  return typeof value === 'boolean' ? BOOLEAN : typeof value === 'string' ? STRING : DOUBLE
}

function bdSeqOf({ bdSeq }: SparkplugState): Message {
  return { name: 'bdSeq', datatype: UINT64, longValue: BigInt(bdSeq) }
}

function advanced(state: SparkplugState): SparkplugState {
  return { ...state, seq: (state.seq + 1) % SEQ_MODULUS }
}

function message(state: SparkplugState, type: 'NBIRTH' | 'DBIRTH' | 'DDATA' | 'DDEATH', device: string | null, metrics: readonly Message[], nowMs: number): MqttMessage {
  return { topic: topicOf(state, type, device), payload: encodeMessage(SPARKPLUG_PAYLOAD, { timestamp: BigInt(Math.floor(nowMs)), metrics, seq: BigInt(state.seq) }), qos: 0, isRetained: false }
}

function topicOf({ group, node }: SparkplugState, type: string, device: string | null = null): string {
  return `spBv1.0/${group}/${type}/${node}${device === null ? '' : `/${device}`}`
}
