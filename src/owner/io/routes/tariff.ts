/** Prices, packages, happy hours. Ranges are the configuration's own; here only form and size are held. */
import type { Handler } from '../routes.ts'
import { NOTHING, flag, integer, line, list, object, oneOf, orNull } from '../../request-schema.ts'
import { id, minutesPerToken, price } from '../fields.ts'

const MAX_ITEMS = 64
const rate = orNull(integer(1, 10_000_000))
const weekday = oneOf('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')

const onePackage = object(
  {
    id,
    slot: integer(0, 15),
    label: line(48),
    seconds: orNull(integer(1, 31_622_400)),
    bytes: orNull(integer(1, 2 ** 50)),
    tokens: orNull(price),
    price,
    devices: integer(1, 16),
    downKbps: rate,
    upKbps: rate,
    offered: flag,
  },
  ['id', 'label', 'seconds', 'bytes', 'price', 'devices', 'downKbps', 'upKbps', 'offered'],
)

const oneHappyHour = object(
  {
    id,
    label: line(48),
    basis: oneOf('clock', 'uptime'),
    fromMinute: integer(0, 525_600),
    toMinute: integer(0, 525_600),
    days: list(weekday, 7),
    discountPercent: integer(1, 100),
  },
  ['id', 'label', 'basis', 'fromMinute', 'toMinute', 'days', 'discountPercent'],
)

export const tariffRoutes: { tariff: Handler<'tariff'>; changeTariff: Handler<'changeTariff'> } = {
  tariff: { schema: { query: NOTHING }, run: (owner) => owner.tariff() },
  changeTariff: {
    schema: {
      query: NOTHING,
      body: object({
        pricePerMinute: price,
        minutesPerToken,
        pricePerMib: price,
        burnerCap: price,
        trialMinutes: integer(0, 1440),
        trialMib: orNull(integer(1, 1_048_576)),
        downKbps: rate,
        upKbps: rate,
        packages: list(onePackage, MAX_ITEMS),
        happyHours: list(oneHappyHour, MAX_ITEMS),
      }),
    },
    run: (owner, { body }) => owner.changeTariff(body),
  },
}
