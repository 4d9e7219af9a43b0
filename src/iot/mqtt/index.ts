/**
 * What leaves and enters by MQTT: own topics, Home Assistant, ChirpStack v4's gateway protocol for tenants, Sparkplug B; and our own mosquitto. The
 * client itself (io/client.ts) is loaded by whoever needs it, since the package behind it is large: nothing here imports it.
 */
export type { ConnectMqtt, MqttConnection, MqttSettings } from './connection.ts'
export { ChirpstackDelivery } from './chirpstack/delivery.ts'
export type { ChirpstackDeliveryParts } from './chirpstack/delivery.ts'
export { downlinkFrame } from './chirpstack/messages.ts'
export type { AskedDownlink, AskedWindow, Encoding } from './chirpstack/messages.ts'
export { OwnTopics, willOf } from './own-topics.ts'
export type { KnownDevice, OwnTopicsParts } from './own-topics.ts'
export { SparkplugNode } from './sparkplug-node.ts'
export type { SparkplugNodeParts } from './sparkplug-node.ts'
export { dropRetainedOrders } from './retained-orders.ts'
export { MAX_BROKER_GATEWAYS, MAX_BROKER_TENANTS } from './mosquitto/configuration.ts'
export type { BrokerListener, BrokerPlan, BrokerUser } from './mosquitto/configuration.ts'
export { hashPassword, newPassword } from './mosquitto/password.ts'
export { Mosquitto } from './io/broker.ts'
export { brokerUserTables } from './io/user-tables.ts'
export type { BrokerParts } from './io/broker.ts'
export type { MqttParts } from './io/client.ts'
