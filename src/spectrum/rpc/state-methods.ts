/** Accounts, code and storage: each proved against the state root of a block that this box has judged. */
import type { KnownHeader } from '../rules/verify-header.ts'
import { needBlock, readBlockTag } from './block-tag.ts'
import type { Asked, MethodTable } from './method.ts'
import type { Param } from './params.ts'
import { dataText, quantity, wordText } from './quantity.ts'

const MAX_PROVED_SLOTS = 64

const at = ({ ports }: Asked, param: Param): KnownHeader => needBlock(ports.curve, ports.chain, readBlockTag(param))

export const STATE_METHODS: MethodTable = {
  eth_getBalance: {
    maxParams: 2,
    run: async (asked, params) => {
      const address = params.at(0).address()
      return quantity((await asked.ports.state.account(at(asked, params.at(1)).header, address)).balanceWei)
    },
  },
  /** `pending` counts what waits in the pool. */
  eth_getTransactionCount: {
    maxParams: 2,
    run: async (asked, params) => {
      const address = params.at(0).address()
      const { nonce } = await asked.ports.state.account(at(asked, params.at(1)).header, address)
      const waiting = params.at(1).value === 'pending' ? asked.ports.pool.nextNonce(address) : null
      return quantity(waiting !== null && waiting > nonce ? waiting : nonce)
    },
  },
  eth_getCode: {
    maxParams: 2,
    run: async (asked, params) => {
      const address = params.at(0).address()
      return dataText(await asked.ports.state.code(at(asked, params.at(1)).header, address))
    },
  },
  eth_getStorageAt: {
    maxParams: 3,
    run: async (asked, params) => {
      const [address, slot] = [params.at(0).address(), params.at(1).slot()]
      return wordText(await asked.ports.state.storage(at(asked, params.at(2)).header, address, slot))
    },
  },
  /** EIP-1186. Keys come back as they were asked. */
  eth_getProof: {
    maxParams: 3,
    run: async (asked, params) => {
      const address = params.at(0).address()
      const keys = params.at(1).list(MAX_PROVED_SLOTS)
      const slots = keys.map((key) => key.slot())
      const { state } = asked.ports
      const { header } = at(asked, params.at(2))
      const account = await state.account(header, address)
      const proof = await state.proof(header, address, slots)
      const values = await Promise.all(slots.map((slot) => state.storage(header, address, slot)))
      return {
        address,
        accountProof: proof.account.map(dataText),
        balance: quantity(account.balanceWei),
        codeHash: account.codeHash,
        nonce: quantity(account.nonce),
        storageHash: account.storageRoot,
        storageProof: keys.map((key, index) => ({ key: key.value, value: quantity(values[index] ?? 0n), proof: (proof.storage[index] ?? []).map(dataText) })),
      }
    },
  },
}
