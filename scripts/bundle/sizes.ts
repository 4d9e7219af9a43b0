/** How large each file of a bundle may be, and how small. A build that silently left something out is as wrong as one that took too much in. */

export const EVERY_BOX = 'service.cjs with what it always loads'
export const EVERY_ROLE = 'service.cjs with parts/'

interface Bounds {
  /** About half of what it is: a smaller file has lost a room, a language or a view. */
  readonly least: number
  readonly most: number
}

/** Bytes. What lies outside fails the build. */
export const BOUNDS: Readonly<Record<string, Bounds>> = {
  [EVERY_BOX]: { least: 900_000, most: 1_590_000 }, // what every box reads at its start
  [EVERY_ROLE]: { least: 1_900_000, most: 3_200_000 }, // on flash; what a role brings is read by boxes with that role alone
  'executor.cjs': { least: 220_000, most: 500_000 },
  'peer.cjs': { least: 240_000, most: 480_000 }, // loaded by boxes with payment channels to other boxes
  'mqtt.cjs': { least: 120_000, most: 450_000 }, // loaded by boxes with a broker
  'codec.cjs': { least: 1_500, most: 8_000 }, // a process of its own, and the one file that it may read
  'cli.cjs': { least: 180_000, most: 500_000 },
  'cli-chain.cjs': { least: 350_000, most: 700_000 }, // read by `meshbox tool` and `meshbox chain new` alone
  'cli-tools.cjs': { least: 140_000, most: 300_000 }, // read by the tools for payments and LoRa and by `meshbox join`
  'cli-errors.cjs': { least: 1_000, most: 4_000 },
  'meshboxd.cjs': { least: 600, most: 4_000 },
  'meshbox-cli.cjs': { least: 600, most: 4_000 },
  'web/guest.js': { least: 1_500, most: 8_000 },
  'web/wallet.js': { least: 70_000, most: 150_000 }, // 60 kB compressed, which the service checks
  'web/dashboard.js': { least: 35_000, most: 90_000 },
  'web/dashboard-shared.js': { least: 33_000, most: 70_000 },
  'web/dashboard-seldom.js': { least: 70_000, most: 138_000 }, // chain, channels, payouts, mesh, sensors: one file for all that most visits do not open
  'web/dashboard.css': { least: 19_000, most: 60_000 },
}

/** What is wrong with the sizes in bytes of a bundle's files, by name; null if nothing is. A file without a row must have something in it. */
export function sizeProblem(sizes: ReadonlyMap<string, number>): string | null {
  for (const [file, { least, most }] of Object.entries(BOUNDS)) {
    const bytes = sizes.get(file)
    if (bytes === undefined) return `${file} is missing`
    if (bytes > most) return `${file} has ${bytes} bytes; the limit is ${most}`
    if (bytes < least) return `${file} has ${bytes} bytes; less than ${least} cannot be all of it`
  }
  for (const [file, bytes] of sizes) if (bytes === 0) return `${file} is empty`
  return null
}
