/** The chapter of the mesh: boxes carry and pay each other, one loses its power in the midst and comes back, one counts too little and is caught. */
import { waitFor } from '../../test/support/town-services.ts'
import { claim, note, step } from './say.ts'
import type { StoryPlan } from './story-plan.ts'
import { HARBOUR_ASKS, HOPS, MIB, SCHOOL_KEEPS, STREET, type Roof, type Street } from './street.ts'

const PRICE = HARBOUR_ASKS + SCHOOL_KEEPS
const PATIENCE_MS = 90_000
/** Enough for a minute and more: he is caught before. */
const WANTED_MIB = 96

export async function tellOfStreet(street: Street, { bakerMib }: Pick<StoryPlan, 'bakerMib'>): Promise<void> {
  step('A street of roofs: four boxes find each other and agree on a price')
  note('baker and mill have no way out; the school carries for them; the harbour has the uplink. (batman-adv is played by a program here: this kernel need not have it. The emulated routers of `make qemu` run the real one.)')
  await street.areRunning()
  const own = (await street.facts('box5'))?.own
  claim(`the harbour asks ${HARBOUR_ASKS} units a MiB, the school keeps ${SCHOOL_KEEPS}: it announces ${own?.unitsPerMiB}, ${own?.hops} hop from the way out`, own?.unitsPerMiB === String(PRICE))

  step(`The baker sends ${bakerMib} MiB over two roofs; each hop pays the next`)
  claim('all of it leaves the baker', (await street.stream('box4', bakerMib * MIB, 2 * MIB)) === bakerMib * MIB)
  await waitFor('all to arrive', async () => (await street.arrived('box4')) === bakerMib * MIB, PATIENCE_MS)
  await paid(street, 'box4', 'box5', BigInt(bakerMib) * PRICE)
  await paid(street, 'box5', 'box6', BigInt(bakerMib) * HARBOUR_ASKS)
  await booksAgree(street)

  step('The school loses its power, and comes back')
  const had = (await street.booked('box5', 'box4')).earned
  await street.powerOff('box5')
  claim('it is dark: the service, its counters and gates in the kernel, all gone; its disk is not', !street.isOn('box5'))
  const before = await street.arrived('box4')
  await street.stream('box4', MIB / 8, MIB).catch(() => 0)
  claim('meanwhile nothing of the baker’s gets through', (await street.arrived('box4')) === before)
  const owed = (await street.booked('box4', 'box5')).spent
  await street.powerOn('box5')
  await street.areRunning()
  // The baker may have paid for more since they are running: that both books agree is claimed below.
  const has = (await street.booked('box5', 'box4')).earned
  claim(`it finds its neighbours again, has the ${had} units in its book that it had earned, and the gates open`, has >= had, `${has}`)
  claim('one MiB more', (await street.stream('box4', MIB, MIB)) === MIB)
  await paid(street, 'box4', 'box5', owed + PRICE)
  await booksAgree(street)

  step('The miller has root on his box and lets it count three frames in ten')
  await street.cheat('box7')
  note('nft insert rule netdev meshbox_carry leaving numgen random mod 100 < 70 accept')
  const sent = street.stream('box7', WANTED_MIB * MIB, MIB).catch(() => 0)
  const caught = await waitFor('the school to end it', async () => ((one) => one?.state === 'ended' && one)(await street.between('box5', 'box7')), PATIENCE_MS)
  claim(`caught at the next signed readings: the school ends the carriage ("${caught.reason}") and shuts its gate`, true)
  const gone = await sent
  claim(`he got ${(gone / MIB).toFixed(1)} of the ${WANTED_MIB} MiB he wanted away; the loss is what fits between readings`, gone < WANTED_MIB * MIB)
  claim('the baker does not feel it', (await street.stream('box4', MIB / 2, MIB)) === MIB / 2)
  await street.makeHonest('box7')
  await street.areRunning()
  claim('he takes the rule away, and both owners let it begin anew', true)
  await booksAgree(street)
}

async function paid(street: Street, client: Roof, carrier: Roof, atLeast: bigint): Promise<void> {
  await waitFor(`${client} to have paid ${carrier} ${atLeast} units`, async () => (await street.booked(client, carrier)).spent >= atLeast, PATIENCE_MS)
}

/** What a client spent is what its carrier earned is what moved in their channel; each book adds up to zero. */
export async function booksAgree(street: Street): Promise<void> {
  const rows: string[] = []
  for (const [client, carrier] of HOPS) {
    const spent = await waitFor(`the books of ${client} and ${carrier} to agree`, async () => {
      const { spent: one } = await street.booked(client, carrier)
      const moved = (await street.facts(client))?.channels.find(({ partner }) => partner === street.accountOf(carrier))?.sent
      return (await street.booked(carrier, client)).earned === one && BigInt(moved ?? 0) === one && { units: one }
    }, PATIENCE_MS)
    rows.push(`${client} paid ${carrier} ${spent.units}`)
  }
  for (const name of STREET) {
    const audit = (await street.facts(name))?.audit ?? []
    if (!audit.every(({ sum, unbalancedEntries }) => sum === '0' && unbalancedEntries.length === 0)) claim(`the book of ${name} adds up`, false, JSON.stringify(audit))
  }
  claim(`both books and the channel of each hop say the same, to the unit: ${rows.join(', ')}`, true)
}
