/** eth_call and eth_estimateGas, run by this box's own executor. Only the chain's legacy transactions exist here. */
import { MeshBoxError, equalBytesConstantTime } from '../../base/index.ts'
import { ZERO_ADDRESS } from '../codec/fields.ts'
import type { CallRequest, CallResult } from '../ports.ts'
import { needBlock, readBlockTag } from './block-tag.ts'
import type { Asked, MethodTable } from './method.ts'
import type { Param, Params } from './params.ts'
import type { CallExecutor } from './ports.ts'
import { dataText, quantity } from './quantity.ts'
import { RPC_CODES, RpcError, paramError } from './rpc-error.ts'

const MAX_DATA_BYTES = 128 * 1024
const UINT64 = 2n ** 64n - 1n
const FIELDS = ['from', 'to', 'gas', 'gasPrice', 'value', 'data', 'input', 'nonce', 'chainId', 'type', 'accessList', 'maxFeePerGas', 'maxPriorityFeePerGas'] as const

export const CALL_METHODS: MethodTable = {
  eth_call: {
    maxParams: 3,
    run: async (asked, params) => {
      const { executor, request, header } = prepare(asked, params)
      return dataText(outputOf(await executor.call(header, request)))
    },
  },
  eth_estimateGas: {
    maxParams: 3,
    run: async (asked, params) => {
      const { executor, request, header } = prepare(asked, params)
      try {
        return quantity(await executor.estimateGas(header, request))
      } catch (thrown) {
        if (!(thrown instanceof MeshBoxError) || thrown.kind !== 'input') throw thrown
        // It never returns. The same call says with which data it reverts; one that only wants more gas says so.
        outputOf(await executor.call(header, request))
        throw new RpcError(RPC_CODES.server, thrown.message, { cause: thrown })
      }
    },
  },
}

function prepare(asked: Asked, params: Params) {
  const { ports, policy } = asked
  if (!params.at(2).isAbsent) throw paramError('params[2]', 'an override of the state', 'two parameters')
  const wanted = readBlockTag(params.at(1))
  const { header } = needBlock(ports.curve, ports.chain, wanted)
  const most = policy.maxCallGas < header.gasLimit ? policy.maxCallGas : header.gasLimit
  const request = readCall(params.at(0), ports.chain.network.chainId, most)
  if (ports.executor === null) throw new RpcError(RPC_CODES.unavailable, 'this box does not execute: ask a box that keeps the state')
  return { executor: ports.executor satisfies CallExecutor, request, header }
}

/** `mostGas`: what is taken where no gas is given, or more. Errors: RpcError -32602. */
function readCall(param: Param, chainId: bigint, mostGas: bigint): CallRequest {
  const call = param.fields(FIELDS)
  for (const field of [call.maxFeePerGas, call.maxPriorityFeePerGas]) if (!field.isAbsent) throw paramError(field.name, 'a fee of EIP-1559', 'gasPrice: this chain has no base fee')
  if (!call.type.isAbsent && call.type.quantity() !== 0n) throw paramError(call.type.name, 'a typed transaction', '0x0')
  if (!call.accessList.isAbsent && call.accessList.list(1).length > 0) throw paramError(call.accessList.name, 'an access list', 'none: this chain has legacy transactions only')
  if (!call.chainId.isAbsent && call.chainId.quantity() !== chainId) throw paramError(call.chainId.name, 'another chain', quantity(chainId))
  if (!call.nonce.isAbsent) call.nonce.quantity(UINT64)
  const to = call.to.isAbsent ? null : call.to.address()
  const data = readData(call.data, call.input)
  if (to === null && data.length === 0) throw paramError(call.to.name, 'nothing, and no data', 'an address, or the code of a new contract in data')
  const gas = call.gas.isAbsent ? mostGas : call.gas.quantity(UINT64)
  return {
    from: call.from.isAbsent ? ZERO_ADDRESS : call.from.address(),
    to,
    data,
    valueWei: call.value.isAbsent ? 0n : call.value.quantity(),
    gas: gas < mostGas ? gas : mostGas,
    gasPriceWei: call.gasPrice.isAbsent ? 0n : call.gasPrice.quantity(),
  }
}

function readData(data: Param, input: Param): Uint8Array {
  if (data.isAbsent && input.isAbsent) return new Uint8Array(0)
  if (data.isAbsent || input.isAbsent) return (data.isAbsent ? input : data).data(MAX_DATA_BYTES)
  const [first, second] = [data.data(MAX_DATA_BYTES), input.data(MAX_DATA_BYTES)]
  if (!equalBytesConstantTime(first, second)) throw paramError(input.name, 'other bytes than data', 'the same in both, or one of them')
  return first
}

/** Errors: RpcError 3 with the data of a revert, -32000 for other failures. */
function outputOf(result: CallResult): Uint8Array {
  if (result.status === 'returned') return result.output
  if (result.status === 'failed') throw new RpcError(RPC_CODES.server, `execution failed: ${result.reason ?? 'no reason given'}`)
  const reason = result.reason?.replace(/\p{Control}/gu, ' ') ?? ''
  throw new RpcError(RPC_CODES.reverted, reason === '' ? 'execution reverted' : `execution reverted: ${reason}`, { data: dataText(result.output) })
}
