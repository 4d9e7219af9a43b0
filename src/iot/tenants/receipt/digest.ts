/**
 * What the box signs: EIP-712, domain (name "MeshBox IoT", version "1", chainId), type UplinkReceipt. There is no verifying contract: the
 * receipt is evidence between box and payer, and what moves money is the channel. Under another name of a domain, so that a receipt can never be
 * taken for a balance proof.
 */
import { concatBytes, fromHex, inputError, utf8 } from '../../../base/index.ts'
import type { Receipt } from '../../ports.ts'
import type { Keccak } from './chain.ts'

const RECEIPT_TYPE =
  'UplinkReceipt(address gateway,address tenant,address token,bytes32 channel,uint64 channelEpoch,uint64 seq,uint64 cumUplinks,uint64 cumUnits,uint64 cumDownlinkMs,uint256 cumAmount,bytes32 chainHash)'
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId)'
const DOMAIN_NAME = 'MeshBox IoT'
const DOMAIN_VERSION = '1'
const MAX_U64 = 2n ** 64n - 1n
const MAX_U256 = 2n ** 256n - 1n

export type UnsignedReceipt = Omit<Receipt, 'signature'>

/** Errors: input of the field that does not fit its type. */
export function receiptDigest(receipt: UnsignedReceipt, keccak: Keccak): Uint8Array {
  const domain = keccak(concatBytes(keccak(utf8(DOMAIN_TYPE)), keccak(utf8(DOMAIN_NAME)), keccak(utf8(DOMAIN_VERSION)), number(receipt.chainId, MAX_U256, 'chainId')))
  const struct = keccak(
    concatBytes(
      keccak(utf8(RECEIPT_TYPE)),
      word(receipt.gateway, 20, 'gateway'),
      word(receipt.tenant, 20, 'tenant'),
      word(receipt.token, 20, 'token'),
      word(receipt.channel, 32, 'channel'),
      number(receipt.channelEpoch, MAX_U64, 'channelEpoch'),
      number(receipt.seq, MAX_U64, 'seq'),
      number(receipt.cumUplinks, MAX_U64, 'cumUplinks'),
      number(receipt.cumUnits, MAX_U64, 'cumUnits'),
      number(receipt.cumDownlinkMs, MAX_U64, 'cumDownlinkMs'),
      number(receipt.cumAmount, MAX_U256, 'cumAmount'),
      word(receipt.chainHash, 32, 'chainHash'),
    ),
  )
  return keccak(concatBytes(Uint8Array.of(0x19, 0x01), domain, struct))
}

function number(value: bigint, most: bigint, field: string): Uint8Array {
  if (value < 0n || value > most) throw inputError(field, value, `0 to ${most}`)
  return fromHex(value.toString(16).padStart(64, '0'))
}

/** Left-padded to 32 bytes. */
function word(hex: string, bytes: number, field: string): Uint8Array {
  const raw = fromHex(hex, field)
  if (raw.length !== bytes) throw inputError(field, hex, `${bytes} bytes of hex`)
  const out = new Uint8Array(32)
  out.set(raw, 32 - bytes)
  return out
}
