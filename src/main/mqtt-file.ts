/** What mqtt.cjs has: the client of brokers, loaded by boxes that use one. */
export { connectMqtt } from '../iot/mqtt/io/client.ts'
