/** `meshbox tenant list | show | set | pause | resume | end | keys | forget-keys | bill | catch-up` */
import type { IotTenantJson, IotTenantRequest } from '../../owner/api/index.ts'
import { argument, hasFlag, numberOption, textOption, usageError } from '../command.ts'
import type { CommandSpec, Context, Result } from '../command.ts'
import { readTextFile } from '../files.ts'
import { tenantText, tenantsText, wordArgument } from './iot-text.ts'
import { OUTPUT_OPTION, deliver } from './output-file.ts'

const MAX_FILE = 256 * 1024
const MAX_RECEIPT = 16 * 1024
const MAX_PASSWORD = 256
const MAX_PEM = 16 * 1024
const ID = [{ name: 'ID' }] as const
const idOf = (context: Context): { readonly id: string } => ({ id: wordArgument(argument(context, 0), 'ID') })
const shown = (tenant: IotTenantJson): Result => ({ json: tenant, text: tenantText(tenant) })

export const tenantList: CommandSpec = {
  words: ['tenant', 'list'],
  isDefault: true,
  summary: 'who buys frames, and what he owes',
  run: async ({ service }) => {
    const reply = await service.call('iotTenants', {})
    return { json: reply, text: tenantsText(reply.tenants) }
  },
}

export const tenantShow: CommandSpec = {
  words: ['tenant', 'show'],
  summary: 'one tenant: terms, account, what became of his frames',
  arguments: ID,
  run: async (context) => shown(await find(context)),
}

export const tenantSet: CommandSpec = {
  words: ['tenant', 'set'],
  summary: 'lets a tenant in, or changes his terms',
  details: `Terms that are not given are as before, or nothing for a new tenant, whose late frames
cost what others do. --route and --airtime take several, with commas between:
  --route 'dev-addr 26010000/16, join 70b3d57ed0000000'
  --airtime 'P 0.002, * 0.001'
--to is 'broker' (the box's own, topics tenant/ID/…), 'gwmp HOST:PORT',
'station wss://HOST:PORT', his server for Basics Station, or
'chirpstack mqtts://NAME@HOST:PORT PREFIX json', his broker; a token or password is asked
for with --ask-password, or read from standard input. His server may have a certificate of
an authority of its own (--ca), or ask for one of the box (--client-cert, --client-key):
PEM files, one of them - for standard input, with wss:// and mqtts://. They stay until
they are given anew; with --to, those that are not given beside it are dropped.
He pays by channel with --data iot:
  meshbox pay ACCOUNT AMOUNT --direct --data iot`,
  arguments: ID,
  options: [
    { name: 'name', value: 'NAME', help: 'who it is' },
    { name: 'payer', value: 'ADDRESS', help: 'account that he pays from' },
    { name: 'token', value: 'TOKEN', help: 'symbol or address (default: the first)' },
    { name: 'route', value: 'ROUTES', help: 'whose frames are his' },
    { name: 'to', value: 'PLACE', help: 'where they go (default broker)' },
    { name: 'ask-password', help: 'password for the name in --to, or token' },
    { name: 'ca', value: 'FILE', help: 'who vouches for the server in --to' },
    { name: 'client-cert', value: 'FILE', help: 'certificate that the box shows there' },
    { name: 'client-key', value: 'FILE', help: 'its private key, kept sealed' },
    { name: 'price', value: 'AMOUNT', help: 'of a started 24 bytes' },
    { name: 'join-price', value: 'AMOUNT', help: 'of a join request' },
    { name: 'late-price', value: 'AMOUNT', help: "of a late frame; 'live': as in time" },
    { name: 'airtime', value: 'PRICES', help: 'of a started ms of answers, by sub-band' },
    { name: 'credit', value: 'AMOUNT', help: 'what he may owe; 0: prepaid' },
    { name: 'copies', value: 'COUNT', help: 'copies of a frame that he buys from all boxes, 1 to 16' },
  ],
  run: async (context) => {
    const { id } = idOf(context)
    const { tenants } = await context.service.call('iotTenants', {})
    const before = tenants.find((tenant) => tenant.id === id && !tenant.isEnded)
    const option = (name: string): string | undefined => textOption(context, name)
    const must = (value: string | undefined, name: string): string => {
      if (value === undefined) throw usageError(`a new tenant needs --${name}`)
      return value
    }
    const airtime = option('airtime')
    const late = option('late-price')
    const token = option('token') ?? before?.token.address
    const maxCopies = numberOption(context, 'copies', 1, 16)
    const route = option('route')
    const to = option('to')
    const destination = hasFlag(context, 'ask-password') ? await withPassword(context, to ?? '') : (to ?? before?.destination ?? 'broker')
    const certificates = await certificatesOf(context, to !== undefined)
    const tenant = await context.service.call('putIotTenant', {
      body: {
        id,
        name: option('name') ?? before?.name ?? id,
        payer: must(option('payer') ?? before?.payer, 'payer'),
        routes: route === undefined ? (before?.routes ?? listOf(must(undefined, 'route'))) : listOf(route),
        destination,
        ...certificates,
        perUnit: must(option('price') ?? before?.prices.perUnit.text, 'price'),
        perJoin: option('join-price') ?? before?.prices.perJoin.text ?? '0',
        perLateFrame: late === 'live' ? null : (late ?? before?.prices.perLateFrame?.text ?? null),
        perDownlinkMs: airtime === undefined ? Object.entries(before?.prices.perDownlinkMs ?? {}).map(([band, price]) => `${band} ${price.text}`) : listOf(airtime),
        creditWindow: option('credit') ?? before?.creditWindow.text ?? '0',
        ...(token === undefined ? {} : { token }),
        ...(maxCopies === undefined ? {} : { maxCopies }),
      },
    })
    return shown(tenant)
  },
}

/** Errors: usage. */
async function withPassword({ io }: Context, to: string): Promise<string> {
  const [, kind = '', place = '', rest = ''] = /^\s*(\S+)\s+(\S+)(.*)$/.exec(to) ?? []
  const hasPlace = URL.canParse(place) && (kind === 'station' || (kind === 'chirpstack' && new URL(place).username !== ''))
  if (!hasPlace) throw usageError("--ask-password goes with --to 'chirpstack mqtts://NAME@HOST:PORT PREFIX json' or 'station wss://HOST:PORT'")
  const password = io.stdinIsTty ? await io.readSecret(kind === 'station' ? 'Token of his server (not shown): ' : 'Password of his broker (not shown): ') : (await io.readStdin(MAX_PASSWORD)).replace(/\r?\n[^]*$/, '')
  if (password === '') throw usageError('the password is empty; nothing was changed')
  const url = new URL(place)
  url.password = encodeURIComponent(password)
  return `${kind} ${url.href}${rest}`
}

/** With a new place, those that are not given are none. Errors: usage; what reading a file throws. */
async function certificatesOf(context: Context, isNewPlace: boolean): Promise<Pick<IotTenantRequest, 'ca' | 'clientCertificate' | 'clientKey'>> {
  const files = (['ca', 'client-cert', 'client-key'] as const).map((name) => textOption(context, name))
  const piped = files.filter((file) => file === '-').length
  if (piped > 1 || (piped === 1 && hasFlag(context, 'ask-password'))) throw usageError('standard input can be one thing only: - for one of --ca, --client-cert and --client-key, without --ask-password')
  const texts: (string | null | undefined)[] = []
  for (const file of files) texts.push(file === undefined ? (isNewPlace ? null : undefined) : await readTextFile(context.io, file, MAX_PEM))
  const [ca, clientCertificate, clientKey] = texts
  return { ...(ca === undefined ? {} : { ca }), ...(clientCertificate === undefined ? {} : { clientCertificate }), ...(clientKey === undefined ? {} : { clientKey }) }
}

function listOf(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '')
}

export const tenantPause: CommandSpec = {
  words: ['tenant', 'pause'],
  summary: 'his frames are not sold for now',
  arguments: ID,
  run: async (context) => shown(await context.service.call('pauseIotTenant', { params: idOf(context), body: { isPaused: true } })),
}

export const tenantResume: CommandSpec = {
  words: ['tenant', 'resume'],
  summary: 'they are sold again',
  arguments: ID,
  run: async (context) => shown(await context.service.call('pauseIotTenant', { params: idOf(context), body: { isPaused: false } })),
}

export const tenantEnd: CommandSpec = {
  words: ['tenant', 'end'],
  summary: 'his routes are free; account and debts stay',
  arguments: ID,
  run: async (context) => shown(await context.service.call('endIotTenant', { params: idOf(context) })),
}

export const tenantKeys: CommandSpec = {
  words: ['tenant', 'keys'],
  summary: 'network session keys of his devices',
  details: `From then on he pays only for frames that one of them fits. FILE has a line for each
device: its address, a blank, its NwkSKey; - is standard input. Of LoRaWAN 1.1 it is the
FNwkSIntKey, with ' 1.1' behind it; half of the code is checked then, so a forged frame
fits once in 65536. Never an AppSKey, nor another key of 1.1.`,
  arguments: [{ name: 'ID' }, { name: 'FILE' }],
  run: async (context) => {
    const lines = (await readTextFile(context.io, argument(context, 1), MAX_FILE)).split('\n').filter((line) => line.trim() !== '')
    const keys = lines.map((line, index) => {
      const [, devAddr, key, version = '1.0'] = /^\s*([0-9a-fA-F]{8})[\s,;]+([0-9a-fA-F]{32})(?:[\s,;]+(1\.[01]))?\s*$/.exec(line) ?? []
      if (devAddr === undefined || key === undefined) throw usageError(`FILE: line ${index + 1} is not an address of 8 and a key of 32 hex digits, with 1.1 behind them for LoRaWAN 1.1`)
      return version === '1.1' ? { devAddr, fNwkSIntKey: key } : { devAddr, nwkSKey: key }
    })
    return shown(await context.service.call('putIotKeys', { params: idOf(context), body: { keys } }))
  },
}

export const tenantForgetKeys: CommandSpec = {
  words: ['tenant', 'forget-keys'],
  summary: 'he pays for every frame that his routes fit',
  arguments: ID,
  run: async (context) => shown(await context.service.call('forgetIotKeys', { params: idOf(context) })),
}

export const tenantBill: CommandSpec = {
  words: ['tenant', 'bill'],
  summary: 'receipts and units, as lora receipt verify reads them',
  arguments: ID,
  options: [OUTPUT_OPTION],
  run: async (context) => deliver(context, 'json', await context.service.call('iotBill', { params: idOf(context) })),
}

export const tenantCatchUp: CommandSpec = {
  words: ['tenant', 'catch-up'],
  summary: 'goes on after an old copy of the book was put back',
  details: `FILE is the newest receipt that the tenant has, as he got it, or receipts of a bill; - is
standard input. Only if he has none that is newer than the book: --no-receipt. A receipt
signed beside one that is out would prove this box a liar.`,
  arguments: [{ name: 'ID' }, { name: 'FILE', optional: true }],
  options: [{ name: 'no-receipt', help: 'he has none that is newer' }],
  run: async (context) => {
    const file = argument(context, 1)
    if ((file === '') !== hasFlag(context, 'no-receipt')) throw usageError('either FILE or --no-receipt')
    return shown(await context.service.call('catchUpIotTenant', { params: idOf(context), body: { receipt: file === '' ? null : await readTextFile(context.io, file, MAX_RECEIPT) } }))
  },
}

async function find(context: Context): Promise<IotTenantJson> {
  const { id } = idOf(context)
  const { tenants } = await context.service.call('iotTenants', {})
  const found = tenants.find((tenant) => tenant.id === id)
  if (found === undefined) throw usageError(`ID: there is no tenant '${id}'; meshbox tenant list shows them`)
  return found
}
