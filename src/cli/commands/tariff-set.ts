/** `meshbox tariff set` */
import { MeshBoxError } from '../../base/index.ts'
import type { PackageChange, TariffChange } from '../../owner/api/index.ts'
import { numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context } from '../command.ts'
import { readTextFile } from '../files.ts'
import { reloadText } from './reload-text.ts'
import { tariffText } from './tariff-show.ts'

const MAX_FILE_BYTES = 60_000

export const tariffSet: CommandSpec = {
  words: ['tariff', 'set'],
  summary: 'change prices, in force at once',
  details: `Prices are in tokens, such as 0.5. Only what is given changes, and it is written
to the configuration file. FILE holds the whole list of packages as JSON, in the
form of "packages" in \`meshbox tariff --json\`, with "price" and "tokens" as texts.`,
  options: [
    { name: 'minutes-per-token', value: 'N', help: '"1 token = N minutes"; 0 = not sold singly' },
    { name: 'price-per-minute', value: 'PRICE', help: 'the same as a price' },
    { name: 'price-per-mib', value: 'PRICE', help: '0 = data is not charged' },
    { name: 'burner-cap', value: 'PRICE', help: 'most a page without TLS spends by the second' },
    { name: 'trial-minutes', value: 'N', help: 'free minutes for each device and day; 0 = none' },
    { name: 'trial-mib', value: 'N', help: "data of the free trial, or 'none' for no limit" },
    { name: 'down-kbps', value: 'N', help: "download rate, or 'none'" },
    { name: 'up-kbps', value: 'N', help: "upload rate, or 'none'" },
    { name: 'packages', value: 'FILE', help: 'replace all packages; - = standard input' },
  ],
  run: async (context) => {
    const body = await changeOf(context)
    if (Object.keys(body).length === 0) throw usageError('nothing to change: give at least one option')
    const answer = await context.service.call('changeTariff', { body })
    return { json: answer, text: `${reloadText(answer.reload)}\n\n${tariffText(answer.tariff)}` }
  },
}

async function changeOf(context: Context): Promise<TariffChange> {
  const minutesText = textOption(context, 'minutes-per-token')
  if (minutesText !== undefined && !/^\d{1,6}(\.\d{1,3})?$/.test(minutesText)) throw usageError(`--minutes-per-token: '${minutesText}' is not a number of minutes`)
  const pricePerMinute = priceOption(context, 'price-per-minute')
  const pricePerMib = priceOption(context, 'price-per-mib')
  const burnerCap = priceOption(context, 'burner-cap')
  const trialMinutes = numberOption(context, 'trial-minutes', 0, 1440)
  const trialMib = numberOrNone(context, 'trial-mib', 1, 1_048_576)
  const downKbps = numberOrNone(context, 'down-kbps', 8, 10_000_000)
  const upKbps = numberOrNone(context, 'up-kbps', 8, 10_000_000)
  const file = textOption(context, 'packages')
  return {
    ...(minutesText === undefined ? {} : { minutesPerToken: Number(minutesText) }),
    ...(pricePerMinute === undefined ? {} : { pricePerMinute }),
    ...(pricePerMib === undefined ? {} : { pricePerMib }),
    ...(burnerCap === undefined ? {} : { burnerCap }),
    ...(trialMinutes === undefined ? {} : { trialMinutes }),
    ...(trialMib === undefined ? {} : { trialMib }),
    ...(downKbps === undefined ? {} : { downKbps }),
    ...(upKbps === undefined ? {} : { upKbps }),
    ...(file === undefined ? {} : { packages: packagesOf(file, await readTextFile(context.io, file, MAX_FILE_BYTES)) }),
  }
}

function priceOption(context: Context, name: string): string | undefined {
  const text = textOption(context, name)
  if (text !== undefined && !/^\d{1,39}(\.\d{1,36})?$/.test(text)) throw usageError(`--${name}: '${text}' is not a price in tokens, such as 0.5`)
  return text
}

function numberOrNone(context: Context, name: string, minimum: number, maximum: number): number | null | undefined {
  return textOption(context, name) === 'none' ? null : numberOption(context, name, minimum, maximum)
}

/** What is in the list is checked by the service. */
function packagesOf(file: string, text: string): PackageChange[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list)) return list as PackageChange[]
  } catch (thrown) {
    throw new MeshBoxError('input', `${file} is not JSON`, { code: 'bad-json', field: 'FILE', cause: thrown })
  }
  throw new MeshBoxError('input', `${file} is not a list of packages`, { code: 'bad-input', field: 'FILE', allowed: 'a JSON list' })
}
