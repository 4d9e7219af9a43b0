/** Payment channels of this box, from its configuration: which contract, on which chain, with which keys, and who is let in. */
import { join } from 'node:path'
import type { Address, Log } from '../base/index.ts'
import { systemRandomness, systemTimers, type SystemClock } from '../base/io/system.ts'
import type { Config, PhotonConfig } from '../config/index.ts'
import type { Identity } from '../identity/index.ts'
import type { Ledger } from '../ledger/index.ts'
import type { Secp256k1 } from '../native/index.ts'
import { GENESIS_ADDRESSES } from '../photon/contracts/addresses.ts'
import { SECRET_TOPIC, startPhoton, type PeerDoor, type PhotonParts, type PhotonRooms, type PhotonSettings } from '../photon/index.ts'
import type { Spectrum } from '../spectrum/index.ts'
import type { Store } from '../store/index.ts'
import type { GuestBoxes } from './guest-boxes.ts'
import { guestInterfaceOf } from './guest-side.ts'
import type { MeshPhoton } from './mesh-photon.ts'
import { photonChain } from './photon-chain.ts'
import { PhotonDoor } from './photon-door.ts'
import { wrappedCoinOf } from './wrapped-coin.ts'
import { lanParts } from './photon-lan.ts'

export { guestBoxesOf } from './guest-boxes.ts'

export interface PhotonRoomParts {
  readonly config: Config
  readonly spectrum: Spectrum
  readonly store: Store
  readonly ledger: Ledger
  readonly identity: Identity
  readonly curve: Secp256k1
  readonly clock: SystemClock
  readonly log: Log
  /** Folder of the bundle. */
  readonly folder: string
  /** Boxes of the mesh, reached without an address; null: this box is in none. */
  readonly mesh: Pick<MeshPhoton, 'door'> | null
  /** Boxes on a guest network, this one's or that of the hotspot behind it. */
  readonly guests: readonly Pick<GuestBoxes, 'door'>[]
}

const GWEI = 1_000_000_000n

/** Errors: what reading the book throws; what the chain or the network cannot do now is an alarm of the running room. */
export async function startPhotonRoom(parts: PhotonRoomParts): Promise<PhotonRooms> {
  const { config, spectrum, store, ledger, identity, curve, clock, folder } = parts
  const log = parts.log.room('photon')
  const settings = settingsOf(config.photon)
  // The key stays in these two closures.
  const secret = identity.deriveSecret('photon-account')
  const signer = {
    account: identity.addressFor('photon-account').toLowerCase() as Address,
    sign: (digests: Uint8Array) => curve.signBatch(digests, secret),
    signInPool: (digests: Uint8Array) => curve.signBatchInPool(digests, secret),
  }
  const { listenAddress, listenPort } = config.photon
  const guestInterface = guestInterfaceOf(config)
  const lan = lanParts({ config: config.photon, guestInterface, identity, curve })
  const marks = [settings.contract, ...(lan === null ? [] : [lan.settings.contract]), SECRET_TOPIC]
  const room: PhotonParts = {
    settings,
    chain: photonChain({ spectrum, keccak: curve, marks, clock, log }),
    gasPriceWei: () => spectrum.reads.gasPriceWei,
    store,
    ledger,
    signer,
    curve,
    backupKey: identity.deriveSecret('photon-backup'),
    wrappedCoin: wrappedCoinOf((bytes) => curve.keccak256(bytes), spectrum.chain.network),
    openDoor: (terms) => {
      const own = new PhotonDoor({
        ...terms,
        file: join(folder, 'peer.cjs'),
        seed: identity.deriveSecret('photon-peer'),
        listen: listenAddress === null ? null : { address: listenAddress, port: listenPort },
        guestInterface,
        clock,
        timers: systemTimers,
        log,
      })
      const withGuests = parts.guests.reduce<PeerDoor>((door, boxes) => boxes.door(terms, door), own)
      return parts.mesh?.door(terms, withGuests) ?? withGuests
    },
    clock,
    timers: systemTimers,
    randomness: systemRandomness,
    soon: (work) => void setImmediate(work),
    log,
  }
  return startPhoton(room, lan)
}

/** The tokens that the owner has named, the one that minutes are sold in first. */
export function photonTokens({ tokens, streamToken }: PhotonConfig): PhotonSettings['tokens'] {
  const named = tokens.map(({ address, symbol, decimals }) => ({ address: address as Address, symbol, decimals }))
  const sold = streamToken?.toLowerCase()
  return [...named.filter(({ address }) => address === sold), ...named.filter(({ address }) => address !== sold)]
}

/** Null: no orders of guests are taken. */
function ordersOf({ contract, purse, orderFee, streamToken }: PhotonConfig): { readonly purse: Address; readonly fee: bigint } | null {
  const isFirstBlocks = contract?.toLowerCase() === GENESIS_ADDRESSES.PhotonV2.toLowerCase()
  const at = purse ?? (isFirstBlocks ? GENESIS_ADDRESSES.Purse : null)
  return at === null || orderFee === 0n || streamToken === null ? null : { purse: at.toLowerCase() as Address, fee: orderFee }
}

function settingsOf(config: PhotonConfig): PhotonSettings {
  const { firstBlock, settleTimeout, coreSettleTimeout, minSettleTimeout, revealTimeout, maxOfflineExposure, coreMinDeposit, topUpPerDay, watchReward, watchMinReward, maxPeers } = config
  return {
    contract: (config.contract ?? '0x').toLowerCase() as Address,
    firstBlock,
    tokens: photonTokens(config),
    settleTimeout,
    coreSettleTimeout,
    minSettleTimeout,
    revealTimeout,
    maxOfflineExposure,
    coreMinDeposit,
    fee: { constant: config.feeConstant, ppm: config.feePpm, curve: [0, 0, 0, 0, 0] },
    topUpPerDay,
    watchReward,
    watchMinReward,
    maxGasPriceWei: BigInt(config.maxGasPriceGwei) * GWEI,
    peers: config.peers.map(({ account, address }) => ({ account: account as Address, address })),
    maxPeers,
    orders: ordersOf(config),
  }
}
