/** A wallet that is a contract, and calls back for more whenever it is paid. Compiled here: it is no part of the chain. */
import solc from 'solc'
import { Interface } from 'ethers'
import type { InterfaceAbi } from 'ethers'
import type { Hex } from '../../../src/spectrum/index.ts'

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Attacker {
  address private target;
  bytes private again;
  uint256 public times;
  uint256 public gained;
  function run(address to, uint256 value, bytes calldata call_) external payable {
    (bool ok, bytes memory why) = to.call{value: value}(call_);
    if (!ok) assembly { revert(add(why, 32), mload(why)) }
  }
  function arm(address to, bytes calldata call_) external { target = to; again = call_; }
  receive() external payable {
    gained += msg.value;
    if (times < 3) { times++; (bool ok,) = target.call(again); if (ok) times += 100; }
  }
}`

interface Output {
  readonly contracts: Readonly<Record<string, Readonly<Record<string, { readonly abi: InterfaceAbi; readonly evm: { readonly deployedBytecode: { readonly object: string } } }>>>>
}

const input = { language: 'Solidity', sources: { 'Attacker.sol': { content: SOURCE } }, settings: { evmVersion: 'petersburg', outputSelection: { '*': { '*': ['abi', 'evm.deployedBytecode.object'] } } } }
const compiled = (JSON.parse(String(solc.compile(JSON.stringify(input)))) as Output).contracts['Attacker.sol']?.['Attacker']
if (compiled === undefined) throw new Error('the attacker does not compile')

export const ATTACKER = { runtime: `0x${compiled.evm.deployedBytecode.object}` as Hex, calls: new Interface(compiled.abi) }
