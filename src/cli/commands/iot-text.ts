/** IoT on a terminal. */
import type { IotDeviceJson, IotFrameJson, IotGatewayJson, IotQueueItemJson, IotReadingJson, IotRuleJson, IotRuleRunJson, IotCertificateJson, IotStatusJson, IotTenantJson, IotTimeJson, IotValueJson } from '../../owner/api/index.ts'
import { usageError } from '../command.ts'
import { bytes, duration, moment, pairs, plain, table, tokens, wrap } from '../text.ts'

const RIGHT = { align: 'right' } as const
const SHOWN_VALUES = 3
/** Leaves room for the date beside it. */
const SHOWN_SUBJECT = 40

export function iotStatusText(status: IotStatusJson): string {
  const { broker, doors, gateways, devices, tenants, rules, late } = status
  return [
    ...(broker.problem === null ? [] : [wrap(`ALARM: the MQTT broker is not there: ${plain(broker.problem)}`), '']),
    pairs([
      ['Region', status.region],
      ['Forwarders', doors.gwmp === null ? 'shut' : `UDP ${doors.gwmp}`],
      ['Stations', doors.station === null ? 'shut' : `TCP ${doors.station}`],
      ['Broker', broker.kind === 'off' ? 'off' : `${broker.kind === 'own' ? 'own' : 'another'}, ${broker.isConnected ? 'connected' : 'NOT connected'}${broker.unpublished === 0 ? '' : `, ${broker.unpublished} readings wait`}`],
      ['Concentrators', `${gateways.online} of ${gateways.known} online`],
      ['Devices', `${devices.online} of ${devices.known} online, ${devices.joined} joined`],
      ['Tenants', `${tenants.served} of ${tenants.known} served`],
      ...(tenants.expired.length === 0 ? [] : [['', `certificates EXPIRED: ${tenants.expired.join(', ')}`] as const]),
      ...(tenants.expiring.length === 0 ? [] : [['', `certificates expire soon: ${tenants.expiring.join(', ')}`] as const]),
      ['Rules', `${rules.live} of ${rules.known} live`],
      ['Frames', `${status.uplinks} heard, ${status.refusedPackets} packets refused`],
      ['Answers', `${status.downlinksSent} sent, ${status.downlinksFailed} not`],
      ['Late', `${late.frames} frames wait (${bytes(late.bytes)}), ${late.lost} lost`],
    ]),
  ].join('\n')
}

export function gatewaysText(gateways: readonly IotGatewayJson[]): string {
  if (gateways.length === 0) return 'No concentrator has been heard. Point its packet forwarder here: docs/iot.md.'
  return gateways
    .map(({ id, door, isOnline, lastSeen, stats, budget }) =>
      [
        `${id}  ${door}, ${isOnline ? 'online' : `silent ${ago(lastSeen)}`}${stats === null ? '' : `, ${stats.receivedOk} of ${stats.received} received well`}`,
        ...budget.map(({ name, dutyPpm, usedMs, reservedMs, freeMs }) => `  ${name}: ${dutyPpm === null ? 'no limit' : `${dutyPpm / 10_000} %`}, ${usedMs} ms used, ${reservedMs} reserved, ${dutyPpm === null ? 'all' : `${freeMs} ms`} free`),
      ].join('\n'),
    )
    .join('\n')
}

export function devicesText(devices: readonly IotDeviceJson[]): string {
  if (devices.length === 0) return 'No devices. Register one: meshbox lora device set DEVEUI --name NAME --app-key KEY'
  const rows = devices.map(({ devEui, name, isOnline, session, lastSeen, values }) => [devEui, name, isOnline ? 'online' : session === null ? 'not joined' : 'offline', lastSeen === null ? '' : ago(lastSeen), valuesText(values.slice(0, SHOWN_VALUES))])
  return table([{ title: 'DEVEUI' }, { title: 'NAME' }, { title: 'STATE' }, { title: 'SEEN', ...RIGHT }, { title: 'VALUES', stretch: true }], rows)
}

export function deviceText(device: IotDeviceJson): string {
  const { session, lastJoin, lastSeen, values } = device
  return [
    pairs([
      ['Device', `${device.devEui}  ${plain(device.name)}`],
      ['State', `${device.isOnline ? 'online' : 'offline'}${device.isDisabled ? ', disabled' : ''}`],
      ['LoRaWAN', `${device.macVersion}, class ${device.deviceClass}, ${device.activation}, JoinEUI ${device.joinEui}`],
      ['Codec', device.codec ?? 'none'],
      ['Session', session === null ? `none: it has not joined${device.macVersion === '1.1' ? ', or not spoken since' : ''}` : `${session.devAddr}, up ${session.fCntUp}, down ${session.fCntDown}, DR${session.dataRate}`],
      ...(session === null || session.aFCntDown === null ? [] : [['', `down to its application ${session.aFCntDown}`] as const]),
      ['Last seen', lastSeen === null ? 'never' : ago(lastSeen)],
      ...(lastJoin === null ? [] : [['Last join', `${ago(lastJoin.at)}: ${lastJoin.refused === null ? 'let in' : `refused: ${plain(lastJoin.refused)}`}`] as const]),
      ['Waiting', `${device.queued} downlinks`],
    ]),
    ...(values.length === 0 ? [] : ['', table([{ title: 'VALUE' }, { title: 'IS', ...RIGHT }, { title: 'AGO', ...RIGHT }], values.map((value) => [value.name, valueText(value), ago(value.at)]))]),
  ].join('\n')
}

export function readingsText(readings: readonly IotReadingJson[]): string {
  if (readings.length === 0) return 'No readings.'
  const rows = readings.map(({ at, fCnt, fPort, payload, values, problem, dataRate, snrDb }) => [whenText(at), String(fCnt), String(fPort), dataRate, snrDb === null ? '' : snrDb.toFixed(1), problem ?? (values === null ? payload : valuesText(values))])
  return table([{ title: 'WHEN' }, { title: 'COUNT', ...RIGHT }, { title: 'PORT', ...RIGHT }, { title: 'RATE' }, { title: 'SNR', ...RIGHT }, { title: 'VALUES', stretch: true }], rows)
}

export function framesText(frames: readonly IotFrameJson[]): string {
  if (frames.length === 0) return 'No frame was heard since the service started.'
  const rows = frames.map(({ at, frequencyHz, dataRate, bytes: length, snrDb, verdict, devEui, tenants }) => [
    ago(at),
    (frequencyHz / 1_000_000).toFixed(1),
    dataRate,
    String(length),
    snrDb === null ? '' : snrDb.toFixed(1),
    verdict === 'unknown' && tenants.length > 0 ? 'tenant' : verdict,
    devEui ?? tenants.map(({ id, verdict: sold }) => `${id}: ${sold}`).join(', '),
  ])
  return table([{ title: 'AGO', ...RIGHT }, { title: 'MHZ', ...RIGHT }, { title: 'RATE' }, { title: 'BYTES', ...RIGHT }, { title: 'SNR', ...RIGHT }, { title: 'WAS' }, { title: 'WHOSE', stretch: true }], rows)
}

export function queueText(queue: readonly IotQueueItemJson[]): string {
  if (queue.length === 0) return 'Nothing waits and nothing was sent.'
  const rows = queue.map(({ queueId, state, fPort, payload, isConfirmed, asker, tries }) => [String(queueId), state, `${fPort}${isConfirmed ? ' confirmed' : ''}`, asker, tries.map(({ statuses }) => statuses.join('/')).join(' '), payload])
  return table([{ title: 'NUMBER', ...RIGHT }, { title: 'STATE' }, { title: 'PORT' }, { title: 'BY' }, { title: 'TRIES' }, { title: 'PAYLOAD', stretch: true }], rows)
}

export function tenantsText(tenants: readonly IotTenantJson[]): string {
  if (tenants.length === 0) return 'No tenants. Let one in: meshbox tenant set ID --payer ADDRESS --route … --price AMOUNT'
  const rows = tenants.map(({ id, isEnded, isPaused, isBehind, isServed, isOnline, uplinks, billed, paid, owed, token }) => [
    id,
    isEnded ? 'ended' : isBehind ? 'behind' : isPaused ? 'paused' : !isServed ? 'no credit' : isOnline ? 'served' : 'away',
    uplinks,
    billed.text,
    paid.text,
    owed.text,
    token.symbol,
  ])
  return table([{ title: 'TENANT' }, { title: 'STATE' }, { title: 'FRAMES', ...RIGHT }, { title: 'BILLED', ...RIGHT }, { title: 'PAID', ...RIGHT }, { title: 'OWED', ...RIGHT }, { title: 'TOKEN', stretch: true }], rows)
}

export function tenantText(tenant: IotTenantJson): string {
  const { token, prices, outcomes, newestReceipt, tls } = tenant
  const newCertificate = `Give a new one: meshbox tenant set ${tenant.id} --ca FILE, or --client-cert FILE --client-key FILE`
  const happened = Object.entries(outcomes).filter(([, count]) => count > 0)
  return [
    ...(tenant.isBehind ? [wrap(`ALARM: this book is an old copy, and ${tenant.id} may have receipts that are not in it. He is not served before: meshbox tenant catch-up ${tenant.id} FILE`), ''] : []),
    ...(tls?.expiry === 'expired' ? [wrap(`WARNING: a certificate has expired. ${newCertificate}`), ''] : tls?.expiry === 'expiring' ? [wrap(`WARNING: a certificate expires within 14 days. ${newCertificate}`), ''] : []),
    ...(tls?.isKeyLost === true ? [wrap(`WARNING: the key of the client certificate was sealed by another box. Give it again: meshbox tenant set ${tenant.id} --client-key FILE`), ''] : []),
    pairs([
      ['Tenant', `${tenant.id}  ${plain(tenant.name)}`],
      ['Pays from', tenant.payer],
      ['Frames go to', `${plain(tenant.destination)}${tenant.isOnline ? '' : ' (away)'}`],
      ...(tls?.ca ?? []).map((one) => ['Own CA', certificateText(one)] as const),
      ...(tls === null || tls.clientCertificate === null ? [] : [['Client certificate', certificateText(tls.clientCertificate)] as const]),
      ...tenant.routes.map((route, index) => [index === 0 ? 'Routes' : '', plain(route)] as const),
      ['Price', `${tokens(prices.perUnit, token)} for a started 24 bytes`],
      ['', `${tokens(prices.perJoin, token)} for a join, ${prices.perLateFrame === null ? 'a late frame as one in time' : `${tokens(prices.perLateFrame, token)} for a late frame`}`],
      ...Object.entries(prices.perDownlinkMs).map(([band, price]) => ['Airtime', `${tokens(price, token)} for a started ms in ${band}`] as const),
      ['Credit', tokens(tenant.creditWindow, token)],
      ['Frames', `${tenant.uplinks}, ${tenant.units} units, ${tenant.downlinkMs} ms of answers; ${tenant.lateFrames} late ones wait`],
      ['Billed', tokens(tenant.billed, token)],
      ['Paid', tokens(tenant.paid, token)],
      ['Owed', tokens(tenant.owed, token)],
      ['Checked', tenant.hasMicKeys ? 'only frames that one of his keys fits' : 'no keys: every frame that his routes fit'],
      ['Newest receipt', newestReceipt === null ? 'none' : `number ${newestReceipt.seq}, ${tokens(newestReceipt.amount, token)} in all`],
      ...(happened.length === 0 ? [] : [['Since start', happened.map(([word, count]) => `${word} ${count}`).join(', ')] as const]),
    ]),
  ].join('\n')
}

function certificateText({ subject, notAfterMs, isExpired }: IotCertificateJson): string {
  const name = [...plain(subject)]
  return `${name.length <= SHOWN_SUBJECT ? name.join('') : `${name.slice(0, SHOWN_SUBJECT - 1).join('')}\u2026`}, ${isExpired ? 'EXPIRED ' : 'until '}${new Date(notAfterMs).toISOString().slice(0, 10)}`
}

export function rulesText(rules: readonly IotRuleJson[]): string {
  if (rules.length === 0) return ['No rules. Try one:', `  meshbox rule try 'if soil of field-3 < 20 set pump-1 {"open":true}`, `    for 10 min then {"open":false}'`].join('\n')
  return rules.map(({ id, name, isLive, isPaused, text, lastRun }) => [`${id}  ${plain(name)}: ${isPaused ? 'paused' : isLive ? 'LIVE' : 'dry run'}`, wrap(plain(text), '  '), ...(lastRun === null ? [] : [wrap(runText(lastRun), '  ')])].join('\n')).join('\n')
}

export function runsText(runs: readonly IotRuleRunJson[]): string {
  return runs.length === 0 ? 'No rule has run.' : runs.map((run) => wrap(`${run.rule}  ${runText(run)}`)).join('\n')
}

function runText({ at, because, isDryRun, offAt, isOff, statuses }: IotRuleRunJson): string {
  return `${whenText(at)}${isDryRun ? ' (dry run)' : ''}: ${plain(because)}${statuses.length === 0 ? '' : `, ${statuses.join('/')}`}${offAt === null ? '' : isOff ? ', switched off again' : ', still on'}`
}

export function valuesText(values: readonly IotValueJson[]): string {
  return values.map((value) => `${value.name} ${valueText(value)}`).join(', ')
}

function valueText({ value, unit }: IotValueJson): string {
  return `${typeof value === 'number' ? Math.round(value * 1000) / 1000 : value}${unit === null ? '' : ` ${unit}`}`
}

function ago({ agoSeconds }: IotTimeJson): string {
  return agoSeconds === null ? 'before' : duration(agoSeconds)
}

function whenText(at: IotTimeJson): string {
  return at.wallMs === null ? `${ago(at)} ago` : moment(at.wallMs)
}

/** Errors: usage. */
export function euiArgument(text: string, what: string): string {
  if (!/^[0-9a-fA-F]{16}$/.test(text)) throw usageError(`${what}: '${text}' is not 16 hex digits; meshbox lora devices shows them`)
  return text.toLowerCase()
}

export function wordArgument(text: string, what: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(text)) throw usageError(`${what}: '${text}' is not allowed; allowed: lower-case letters, digits and -, at most 32`)
  return text
}
