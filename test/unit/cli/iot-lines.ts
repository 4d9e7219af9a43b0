/** One line for each command of IoT, in an order in which each finds what it needs: the room of test/support/iot-place.ts. */
import { PUMP, TENANTS, devEuiOf } from '../../support/iot-place.ts'
import type { Given } from './console.ts'

const [NEW, NAME] = ['70b3d57ed0001234', 'field-3']
export const APP_KEY = '5e'.repeat(16)
export const NWK_S_KEY = '6f'.repeat(16)
const CODEC = 'function decodeUplink({ bytes }) { return { data: { soil: bytes[0] } } }\nfunction encodeDownlink({ data }) { return { bytes: [data.open ? 1 : 0], fPort: 3 } }\n'
const RULE = `if soil of ${NAME} < 20 for 10 min set ${NAME} {"open":true} for 10 min then {"open":false}`

export const IOT_LINES: Readonly<Record<string, readonly [line: string, given?: Given]>> = {
  'lora status': ['lora'],
  'lora gateways': ['lora gateways'],
  'lora codec put': ['lora codec put soil -', { stdin: CODEC }],
  'lora codec try': ['lora codec try soil 2a --port 3'],
  'lora device set': [`lora device set ${NEW} --name ${NAME} --app-key ${APP_KEY} --codec soil --interval 600`],
  'lora devices': ['lora devices'],
  'lora device show': [`lora device show ${NAME}`],
  'lora readings': [`lora readings ${NAME} --limit 5`],
  'lora frames': ['lora frames --limit 5'],
  'lora send': [`lora send ${devEuiOf(PUMP)} --payload 0a01 --port 3 --expires 60`],
  'lora queue': [`lora queue ${devEuiOf(PUMP)}`],
  'lora cancel': ['lora cancel 1'],
  'lora downlinks': ['lora downlinks'],
  'rule list': ['rule'],
  'rule try': [`rule try '${RULE}'`],
  'rule set': [`rule set water '${RULE}' --name 'Water the field'`],
  'rule runs': ['rule runs'],
  'rule remove': ['rule remove water'],
  'lora device forget-nonces': [`lora device forget-nonces ${NAME}`],
  'lora device remove': [`lora device remove ${NAME}`],
  'lora codecs': ['lora codecs'],
  'lora codec remove': ['lora codec remove soil'],
  'tenant list': ['tenant'],
  'tenant set': [`tenant set hill --name 'Hill farm' --payer 0x${'a1'.repeat(20)} --route 'dev-addr 27000000/16, join 70b3d57ed0000000' --airtime '* 0.002' --price 0.001 --credit 1`],
  'tenant show': ['tenant show hill'],
  'tenant keys': ['tenant keys hill -', { stdin: `27000001 ${NWK_S_KEY}\n27000002 ${NWK_S_KEY} 1.1\n` }],
  'tenant forget-keys': ['tenant forget-keys hill'],
  'tenant bill': ['tenant bill hill'],
  'tenant pause': ['tenant pause hill'],
  'tenant resume': ['tenant resume hill'],
  'mqtt status': ['mqtt'],
  'mqtt user add': ['mqtt user add hill --tenant hill'],
  'mqtt users': ['mqtt users'],
  'mqtt user remove': ['mqtt user remove hill'],
  'tenant end': ['tenant end hill'],
}

/** All of them: a tenant can be caught up with only in a box whose book is an old copy, and is refused here (below). */
export const IOT_COMMANDS: readonly string[] = [...Object.keys(IOT_LINES), 'tenant catch-up']

/** What is wrong about it, and by which field it is called. */
export const IOT_MISTAKES: readonly (readonly [line: string, said: RegExp])[] = [
  ['lora device set 123 --name x', /DEVEUI: '123'/],
  [`lora device set ${NEW} --app-key 12`, /appKey/],
  [`lora device set ${NEW} --dev-addr 00000001`, /--nwk-s-key/],
  [`lora device set ${NEW} --app-key ${APP_KEY} --codec nonsense`, /codec/],
  [`lora device set ${NEW} --app-key ${APP_KEY} --nwk-key 12`, /nwkKey/],
  [`lora device set ${NEW} --nwk-key ${APP_KEY}`, /appKey.*beside the NwkKey/],
  [`lora device set ${NEW} --version 1.1 --app-key ${APP_KEY}`, /nwkKey.*two root keys/],
  [`lora device set ${NEW} --version 1.0.4 --app-key ${APP_KEY} --nwk-key ${APP_KEY}`, /nwkKey.*none before LoRaWAN 1\.1/],
  [`lora device set ${NEW} --dev-addr 00000001 --nwk-s-key ${APP_KEY} --app-s-key ${APP_KEY} --nwk-s-enc-key ${APP_KEY}`, /--s-nwk-s-int-key/],
  [`lora device set ${NEW} --version 1.1 --dev-addr 00000001 --nwk-s-key ${APP_KEY} --app-s-key ${APP_KEY}`, /sNwkSIntKey and nwkSEncKey for 1\.1/],
  [`lora device set ${NEW} --version 1.2 --app-key ${APP_KEY}`, /--version: '1\.2'/],
  ['lora device show nobody', /there is no device 'nobody'/],
  [`lora send ${devEuiOf(PUMP)} --payload zz`, /payload/],
  ['lora cancel 999', /999/],
  ['tenant set hill --price 1', /--payer/],
  [`tenant set hill --payer 0x${'a1'.repeat(20)} --route 'dev-addr ${TENANTS.toString(16)}/32' --price 0.1.2`, /perUnit/],
  [`tenant set hill --payer 0x${'a1'.repeat(20)} --route 'here and there' --price 1`, /route/],
  [`tenant set hill --payer 0x${'a1'.repeat(20)} --route 'dev-addr 26010000/16' --price 1`, /26010000\/16 is the tenant farm's/],
  ['tenant catch-up farm --no-receipt', /account of farm is not behind/],
  ['tenant show nobody', /there is no tenant 'nobody'/],
  ['rule set water nonsense', /rule: nonsense is not allowed/],
  ['mqtt user add hill --tenant nobody', /nobody/],
]
