/** A join file for people: what chain it makes, in words; and reading the lists that options bring. */
import { formatAmount, parseAmount } from '../../base/index.ts'
import type { Address } from '../../spectrum/index.ts'
import type { CommunityDescription } from '../../spectrum/community/index.ts'
import { usageError } from '../command.ts'
import { moment, pairs, plain, wrap } from '../text.ts'

export const SMT_DECIMALS = 18

/** `channels`: address of the channel contract; null: none that this release knows. */
export function descriptionJson(made: CommunityDescription, channels: string | null): object {
  return {
    ...made,
    channels,
    chainId: made.chainId.toString(),
    allocatedWei: made.allocatedWei.toString(),
    tokens: made.tokens.map((token) => ({ ...token, supply: token.supply.toString() })),
  }
}

export function descriptionText(made: CommunityDescription, channels: string | null): string {
  const facts = pairs([
    ['Chain', `${made.name}, chain id ${made.chainId}`],
    ['Starts', `${moment(made.startSeconds * 1000)} UTC`],
    ['Blocks', `every ${made.blockSeconds} s; rounds of ${made.signerLimit}, missed slots forgiven after ${made.epochBlocks}`],
    ['Money', `${formatAmount(made.allocatedWei, SMT_DECIMALS)} SMT at the start`],
    ...made.tokens.map((token) => [token.kind === 'wrapped-smt' ? 'Wrapped SMT' : 'Token', `${token.name} (${token.symbol}), ${token.address}`] as const),
    ...(channels === null ? [] : [['Channels', channels] as const]),
    ['Owner', made.owner],
    ...made.leaders.map((leader, index) => [index === 0 ? 'Leaders' : '', leader] as const),
    ...made.miners.map((miner, index) => [index === 0 ? 'Miners' : '', miner] as const),
    ['Contracts', made.isKnownCode ? "MeshBox's own" : 'of its own: whoever made the file decides what they do'],
  ])
  return [facts, '', 'Genesis, to be read to each other:', `  ${plain(made.genesisHash)}`, ...(made.notes.length === 0 ? [] : ['', ...made.notes.map((note) => wrap(note))])].join('\n')
}

/** `A,B`. Errors: usage. */
export function addressList(name: string, text: string | undefined): readonly Address[] {
  return text === undefined ? [] : text.split(',').map((part) => addressOf(name, part.trim()))
}

/** `A=5,B=2.5`, in whole SMT. Errors: usage. */
export function amountList(name: string, text: string | undefined): readonly { readonly address: Address; readonly amountWei: bigint }[] {
  if (text === undefined) return []
  return text.split(',').map((part) => {
    const [address = '', amount = ''] = part.split('=', 2)
    return { address: addressOf(name, address.trim()), amountWei: amountOf(name, amount.trim()) }
  })
}

export function addressOf(name: string, text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw usageError(`--${name}: '${text}' is not an address, 0x and 40 hex digits`)
  return text.toLowerCase() as Address
}

export function amountOf(name: string, text: string, decimals: number = SMT_DECIMALS): bigint {
  try {
    return parseAmount(text, decimals)
  } catch (thrown) {
    throw usageError(`--${name}: '${text}' is not an amount: ${thrown instanceof Error ? thrown.message : ''}`)
  }
}
