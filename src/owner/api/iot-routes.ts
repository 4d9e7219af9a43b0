/** Routes of IoT, and what each takes and gives: part of the table in api.ts. */
import type {
  IotBrokerUserReply,
  IotBrokerUserRequest,
  IotBrokerUsersJson,
  IotCatchUpRequest,
  IotCodecRequest,
  IotCodecTrialJson,
  IotCodecTrialRequest,
  IotCodecsJson,
  IotDeviceJson,
  IotDeviceRequest,
  IotDevicesJson,
  IotDownlinksJson,
  IotFramesJson,
  IotGatewaysJson,
  IotKeysRequest,
  IotLimitQuery,
  IotQueueItemJson,
  IotQueueJson,
  IotReadingsJson,
  IotReadingsQuery,
  IotRuleJson,
  IotRuleRequest,
  IotRuleTrialJson,
  IotRuleTrialRequest,
  IotRulesJson,
  IotSendRequest,
  IotSeriesJson,
  IotSeriesQuery,
  IotSpanQuery,
  IotStatusJson,
  IotTenantJson,
  IotTenantRequest,
  IotTenantsJson,
} from './iot.ts'

export const IOT_ROUTES = {
  iot: { method: 'GET', path: '/api/iot', access: 'owner' },
  iotGateways: { method: 'GET', path: '/api/iot/gateways', access: 'owner' },
  iotDevices: { method: 'GET', path: '/api/iot/devices', access: 'owner' },
  putIotDevice: { method: 'POST', path: '/api/iot/devices', access: 'owner' },
  removeIotDevice: { method: 'POST', path: '/api/iot/devices/:id/remove', access: 'owner' },
  forgetIotNonces: { method: 'POST', path: '/api/iot/devices/:id/forget-nonces', access: 'owner' },
  iotReadings: { method: 'GET', path: '/api/iot/devices/:id/readings', access: 'owner' },
  iotSeries: { method: 'GET', path: '/api/iot/devices/:id/series', access: 'owner' },
  /** text/csv, as a download. */
  iotCsv: { method: 'GET', path: '/api/iot/devices/:id/readings.csv', access: 'owner' },
  iotQueue: { method: 'GET', path: '/api/iot/devices/:id/queue', access: 'owner' },
  iotSend: { method: 'POST', path: '/api/iot/devices/:id/queue', access: 'owner' },
  iotCancel: { method: 'POST', path: '/api/iot/queue/:id/cancel', access: 'owner' },
  iotFrames: { method: 'GET', path: '/api/iot/frames', access: 'owner' },
  iotDownlinks: { method: 'GET', path: '/api/iot/downlinks', access: 'owner' },
  iotTenants: { method: 'GET', path: '/api/iot/tenants', access: 'owner' },
  putIotTenant: { method: 'POST', path: '/api/iot/tenants', access: 'owner' },
  endIotTenant: { method: 'POST', path: '/api/iot/tenants/:id/end', access: 'owner' },
  putIotKeys: { method: 'POST', path: '/api/iot/tenants/:id/keys', access: 'owner' },
  forgetIotKeys: { method: 'POST', path: '/api/iot/tenants/:id/forget-keys', access: 'owner' },
  catchUpIotTenant: { method: 'POST', path: '/api/iot/tenants/:id/catch-up', access: 'owner' },
  pauseIotTenant: { method: 'POST', path: '/api/iot/tenants/:id/pause', access: 'owner' },
  /** application/json, as a download: receipts and units, what `meshbox lora receipt verify` reads. */
  iotBill: { method: 'GET', path: '/api/iot/tenants/:id/bill', access: 'owner' },
  iotRules: { method: 'GET', path: '/api/iot/rules', access: 'owner' },
  putIotRule: { method: 'POST', path: '/api/iot/rules', access: 'owner' },
  removeIotRule: { method: 'POST', path: '/api/iot/rules/:id/remove', access: 'owner' },
  tryIotRule: { method: 'POST', path: '/api/iot/rules/try', access: 'owner' },
  iotCodecs: { method: 'GET', path: '/api/iot/codecs', access: 'owner' },
  putIotCodec: { method: 'POST', path: '/api/iot/codecs', access: 'owner' },
  tryIotCodec: { method: 'POST', path: '/api/iot/codecs/:id/try', access: 'owner' },
  removeIotCodec: { method: 'POST', path: '/api/iot/codecs/:id/remove', access: 'owner' },
  iotBrokerUsers: { method: 'GET', path: '/api/iot/mqtt/users', access: 'owner' },
  addIotBrokerUser: { method: 'POST', path: '/api/iot/mqtt/users', access: 'owner' },
  removeIotBrokerUser: { method: 'POST', path: '/api/iot/mqtt/users/:id/remove', access: 'owner' },
} as const

type One = { params: { id: string } }

export interface IotRouteTypes {
  iot: { reply: IotStatusJson }
  iotGateways: { reply: IotGatewaysJson }
  iotDevices: { reply: IotDevicesJson }
  putIotDevice: { body: IotDeviceRequest; reply: IotDeviceJson }
  removeIotDevice: One & { reply: IotDevicesJson }
  forgetIotNonces: One & { reply: IotDevicesJson }
  iotReadings: One & { query: IotReadingsQuery; reply: IotReadingsJson }
  iotSeries: One & { query: IotSeriesQuery; reply: IotSeriesJson }
  iotCsv: One & { query: IotSpanQuery; reply: string }
  iotQueue: One & { reply: IotQueueJson }
  iotSend: One & { body: IotSendRequest; reply: IotQueueItemJson }
  iotCancel: One & { reply: IotQueueItemJson }
  iotFrames: { query: IotLimitQuery; reply: IotFramesJson }
  iotDownlinks: { query: IotLimitQuery; reply: IotDownlinksJson }
  iotTenants: { reply: IotTenantsJson }
  putIotTenant: { body: IotTenantRequest; reply: IotTenantJson }
  endIotTenant: One & { reply: IotTenantJson }
  putIotKeys: One & { body: IotKeysRequest; reply: IotTenantJson }
  forgetIotKeys: One & { reply: IotTenantJson }
  catchUpIotTenant: One & { body: IotCatchUpRequest; reply: IotTenantJson }
  pauseIotTenant: One & { body: { readonly isPaused: boolean }; reply: IotTenantJson }
  iotBill: One & { reply: string }
  iotRules: { reply: IotRulesJson }
  putIotRule: { body: IotRuleRequest; reply: IotRuleJson }
  removeIotRule: One & { reply: IotRulesJson }
  tryIotRule: { body: IotRuleTrialRequest; reply: IotRuleTrialJson }
  iotCodecs: { reply: IotCodecsJson }
  putIotCodec: { body: IotCodecRequest; reply: IotCodecsJson }
  tryIotCodec: One & { body: IotCodecTrialRequest; reply: IotCodecTrialJson }
  removeIotCodec: One & { reply: IotCodecsJson }
  iotBrokerUsers: { reply: IotBrokerUsersJson }
  addIotBrokerUser: { body: IotBrokerUserRequest; reply: IotBrokerUserReply }
  removeIotBrokerUser: One & { reply: IotBrokerUsersJson }
}
