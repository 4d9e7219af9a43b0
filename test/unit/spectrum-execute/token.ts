/** A plain ERC-20 by the Solidity compiler, for the chain's virtual machine. Every account given has a million at the start. */
import { AbiCoder, id } from 'ethers'
import solc from 'solc'
import { fromHex } from '../../../src/base/index.ts'
import type { Address } from '../../../src/spectrum/index.ts'
import { mapSlot } from '../../../src/spectrum/proof/account.ts'
import { native } from '../spectrum/curves.ts'

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Token {
  mapping(address => uint256) public balanceOf;
  mapping(address => mapping(address => uint256)) public allowance;
  uint256 public totalSupply;
  event Transfer(address indexed from, address indexed to, uint256 value);
  event Approval(address indexed owner, address indexed spender, uint256 value);
  function transfer(address to, uint256 value) external returns (bool) { _move(msg.sender, to, value); return true; }
  function approve(address spender, uint256 value) external returns (bool) {
    allowance[msg.sender][spender] = value;
    emit Approval(msg.sender, spender, value);
    return true;
  }
  function transferFrom(address from, address to, uint256 value) external returns (bool) {
    require(allowance[from][msg.sender] >= value, "not allowed");
    allowance[from][msg.sender] -= value;
    _move(from, to, value);
    return true;
  }
  function _move(address from, address to, uint256 value) private {
    require(to != address(0), "to nobody");
    require(balanceOf[from] >= value, "too little");
    balanceOf[from] -= value;
    balanceOf[to] += value;
    emit Transfer(from, to, value);
  }
}`

/** Runtime bytecode. */
export function compiledToken(): Uint8Array {
  const input = {
    language: 'Solidity',
    sources: { 'token.sol': { content: SOURCE } },
    settings: { evmVersion: 'istanbul', optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as { contracts?: Record<string, Record<string, { evm: { deployedBytecode: { object: string } } }>>; errors?: unknown }
  const object = output.contracts?.['token.sol']?.['Token']?.evm.deployedBytecode.object
  if (object === undefined) throw new Error(JSON.stringify(output.errors))
  return fromHex(object)
}

const abi = AbiCoder.defaultAbiCoder()

export function tokenCall(signature: string, types: readonly string[], values: readonly unknown[]): Uint8Array {
  return fromHex(id(signature).slice(0, 10) + abi.encode(types, values).slice(2))
}

export const transferCall = (to: Address, value: bigint): Uint8Array => tokenCall('transfer(address,uint256)', ['address', 'uint256'], [to, value])

export function tokenStorage(holders: Iterable<Address>, each: bigint): Map<bigint, bigint> {
  return new Map([...holders].map((holder) => [mapSlot(native, 0n, holder), each]))
}
