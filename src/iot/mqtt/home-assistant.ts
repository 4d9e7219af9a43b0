/**
 * Home Assistant's device discovery: one retained message per device on `homeassistant/device/<id>/config`, with a component for each value it
 * ever sent. Sent again whenever Home Assistant says that it is up; an empty one removes the device.
 * https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
 */
import type { Eui, MqttMessage, Value } from '../ports.ts'
import { jsonMessage } from './connection.ts'

export const HOME_ASSISTANT_STATUS = 'homeassistant/status'

export interface DiscoveredDevice {
  readonly devEui: Eui
  readonly name: string
  readonly values: readonly Value[]
}

export interface DiscoveryTopics {
  readonly state: string
  readonly availability: string
  readonly box: string
}

/** Of a unit, where one is said; else of a word in the name. What matches nothing is a number without a class. */
const CLASSES: readonly { readonly unit: string; readonly word: RegExp; readonly deviceClass: string }[] = [
  { unit: '°C', word: /temp/, deviceClass: 'temperature' },
  { unit: '%', word: /humid/, deviceClass: 'humidity' },
  { unit: '%', word: /batter/, deviceClass: 'battery' },
  { unit: '%', word: /moist|soil/, deviceClass: 'moisture' },
  { unit: 'hPa', word: /barom|pressure/, deviceClass: 'atmospheric_pressure' },
  { unit: 'lx', word: /illum|lux|light/, deviceClass: 'illuminance' },
  { unit: 'ppm', word: /co2/, deviceClass: 'carbon_dioxide' },
  { unit: 'V', word: /volt/, deviceClass: 'voltage' },
  { unit: 'A', word: /current|ampere/, deviceClass: 'current' },
  { unit: 'W', word: /power|watt/, deviceClass: 'power' },
  { unit: 'kWh', word: /energy|kwh/, deviceClass: 'energy' },
  { unit: 'Hz', word: /frequency/, deviceClass: 'frequency' },
  { unit: 'm', word: /distance|level/, deviceClass: 'distance' },
]
const MAX_COMPONENTS = 64

export function discoveryOf(device: DiscoveredDevice, topics: DiscoveryTopics, version: string): MqttMessage {
  const id = idOf(device.devEui)
  return jsonMessage(
    `homeassistant/device/${id}/config`,
    {
      dev: { ids: [id], name: device.name, mf: 'LoRaWAN', mdl: device.devEui, sn: device.devEui, sw: version },
      o: { name: 'MeshBox', sw: version },
      cmps: Object.fromEntries(device.values.slice(0, MAX_COMPONENTS).map((value) => [value.name, componentOf(value, id)])),
      state_topic: topics.state,
      availability: [
        { topic: topics.box, value_template: '{{ value_json.state }}' },
        { topic: topics.availability, value_template: '{{ value_json.state }}' },
      ],
      availability_mode: 'all',
      qos: 1,
    },
    true,
  )
}

export function removalOf(devEui: Eui): MqttMessage {
  return { topic: `homeassistant/device/${idOf(devEui)}/config`, payload: new Uint8Array(0), qos: 1, isRetained: true }
}

function componentOf({ name, value, unit }: Value, id: string): Readonly<Record<string, unknown>> {
  const own = { unique_id: `${id}_${name}`, name: name.replaceAll('_', ' ') }
  if (typeof value === 'boolean') return { p: 'binary_sensor', ...own, value_template: `{{ 'ON' if value_json['${name}'] else 'OFF' }}` }
  const plain = { p: 'sensor', ...own, value_template: `{{ value_json['${name}'] }}` }
  if (typeof value === 'string') return plain
  const known = CLASSES.find((one) => (unit === null || one.unit === unit) && one.word.test(name.toLowerCase())) ?? CLASSES.find((one) => one.unit === unit && one.unit !== '%' && one.unit !== 'm')
  const shown = unit ?? known?.unit ?? null
  return {
    ...plain,
    state_class: known?.deviceClass === 'energy' ? 'total_increasing' : 'measurement',
    ...(shown === null ? {} : { unit_of_measurement: shown }),
    ...(known === undefined ? {} : { device_class: known.deviceClass }),
  }
}

function idOf(devEui: Eui): string {
  return `meshbox_${devEui}`
}
