/** Bytecode by hand: names of opcodes, and numbers to push. */
import { concatBytes, integerBytes } from '../../../src/base/index.ts'

const OPCODES: Readonly<Record<string, number>> = {
  STOP: 0x00, ADD: 0x01, MUL: 0x02, SUB: 0x03, DIV: 0x04, LT: 0x10, GT: 0x11, EQ: 0x14, ISZERO: 0x15, AND: 0x16, SHL: 0x1b, SHR: 0x1c, SAR: 0x1d, SHA3: 0x20,
  ADDRESS: 0x30, BALANCE: 0x31, CALLER: 0x33, CALLVALUE: 0x34, CALLDATALOAD: 0x35, CALLDATASIZE: 0x36, CALLDATACOPY: 0x37, CODECOPY: 0x39, EXTCODESIZE: 0x3b, EXTCODECOPY: 0x3c, RETURNDATASIZE: 0x3d, EXTCODEHASH: 0x3f,
  BLOCKHASH: 0x40, COINBASE: 0x41, TIMESTAMP: 0x42, NUMBER: 0x43, DIFFICULTY: 0x44, GASLIMIT: 0x45, CHAINID: 0x46, SELFBALANCE: 0x47, BASEFEE: 0x48,
  POP: 0x50, MLOAD: 0x51, MSTORE: 0x52, MSTORE8: 0x53, SLOAD: 0x54, SSTORE: 0x55, JUMP: 0x56, JUMPI: 0x57, GAS: 0x5a, JUMPDEST: 0x5b, PUSH0: 0x5f,
  DUP1: 0x80, DUP2: 0x81, SWAP1: 0x90, LOG0: 0xa0, LOG1: 0xa1, CREATE: 0xf0, CALL: 0xf1, CALLCODE: 0xf2, RETURN: 0xf3, DELEGATECALL: 0xf4, CREATE2: 0xf5, STATICCALL: 0xfa, REVERT: 0xfd, INVALID: 0xfe, SELFDESTRUCT: 0xff,
}

/** Words are opcodes; numbers and hex strings are pushed in as few bytes as they take. */
export function assemble(...words: readonly (string | number | bigint)[]): Uint8Array {
  return concatBytes(
    ...words.map((word) => {
      if (typeof word === 'string' && !word.startsWith('0x')) {
        const opcode = OPCODES[word]
        if (opcode === undefined) throw new Error(`no opcode ${word}`)
        return Uint8Array.of(opcode)
      }
      const value = BigInt(word)
      const bytes = value === 0n ? Uint8Array.of(0) : integerBytes(value)
      return concatBytes(Uint8Array.of(0x5f + bytes.length), bytes)
    }),
  )
}

/** Init code that deploys `code`. */
export function deploying(code: Uint8Array): Uint8Array {
  const head = assemble(code.length, 'DUP1', 0x0b, 0, 'CODECOPY', 0, 'RETURN')
  const wide = code.length > 255 ? assemble(code.length, 'DUP1', 0x0c, 0, 'CODECOPY', 0, 'RETURN') : head
  return concatBytes(wide, code)
}
