/** What mqtt.cjs has: the client of brokers, loaded by boxes that use one. */
