/**
 * Compiles our Solidity: `node scripts/contracts.ts` writes each set's artifacts; with `--check` it writes
 * nothing and exits 1 where they are not what the sources give. Compiler and settings stand here and nowhere
 * else; there is no metadata hash in the code, so the same sources give the same bytes everywhere.
 *
 * An artifact: contract, compiler, evmVersion, optimizerRuns, sourceHash (SHA-256 over name and text of the set's
 * files), abi, storage (slot, offset, label, type), bytecode (with the constructor), runtime, and where in that the
 * constructor writes what never changes (immutables, offsets of 32 bytes).
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import solc from 'solc'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const COMPILER = '0.8.37'
const OPTIMIZER_RUNS = 200
/** It says that this EVM version is old. It is what the chain has. */
const EXPECTED_WARNING = /^Support for EVM versions older than london is deprecated/

/** Petersburg: what every chain of the Spectrum kind runs from SIP004 on: no PUSH0, no BASEFEE. Byzantium: before it too. */
type EvmVersion = 'petersburg' | 'byzantium'

interface ContractSet {
  readonly sources: string
  readonly artifacts: string
  /** Each in a file of its name, or `file:contract`. */
  readonly contracts: readonly string[]
  readonly evmVersion: EvmVersion
  /** Through the compiler's intermediate language: for functions with more arguments than the stack reaches. */
  readonly viaIR: boolean
  /** A community's own genesis holds its runtime code as it is. Where it may have one, whoever writes the genesis fills it in. */
  readonly mayHaveImmutables: boolean
}

/** A room's contracts. More rooms, more rows. */
const SETS: readonly ContractSet[] = [
  {
    sources: 'src/spectrum/community/contracts',
    artifacts: 'src/spectrum/community/artifacts',
    contracts: ['Chief', 'ChiefBase', 'Poc', 'Anmap', 'WrappedSmt', 'CommunityToken'],
    evmVersion: 'petersburg',
    viaIR: false,
    mayHaveImmutables: false,
  },
  {
    sources: 'src/photon/contracts/solidity',
    artifacts: 'src/photon/contracts/artifacts',
    contracts: ['PhotonV2', 'SecretRegistry', 'Purse'],
    evmVersion: 'byzantium',
    viaIR: true,
    mayHaveImmutables: true,
  },
  {
    sources: 'test/unit/photon-contracts/solidity',
    artifacts: 'test/unit/photon-contracts/artifacts',
    contracts: ['PlainToken', 'SilentToken', 'FeeToken', 'FalseToken', 'LyingToken', 'RefusingToken', 'ReenteringToken'].map((token) => `TestTokens:${token}`),
    evmVersion: 'byzantium',
    viaIR: false,
    mayHaveImmutables: false,
  },
]

interface CompilerError {
  readonly severity: string
  readonly message: string
  readonly formattedMessage: string
}

interface CompilerOutput {
  readonly errors?: readonly CompilerError[]
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>
}

interface CompiledContract {
  readonly abi: readonly unknown[]
  readonly storageLayout: { readonly storage: readonly { readonly slot: string; readonly offset: number; readonly label: string; readonly type: string }[] }
  readonly evm: { readonly bytecode: { readonly object: string }; readonly deployedBytecode: { readonly object: string; readonly immutableReferences: Readonly<Record<string, readonly { readonly start: number; readonly length: number }[]>> } }
}

/** Path below the repository → text. `only`: sets whose sources lie below that path. Errors: Error with the compiler's words. */
export function compileContracts(only = ''): ReadonlyMap<string, string> {
  return new Map(SETS.filter((set) => set.sources.startsWith(only)).flatMap(compileSet))
}

function compileSet(set: ContractSet): readonly (readonly [string, string])[] {
  const folder = join(ROOT, set.sources)
  const files = readdirSync(folder).filter((name) => name.endsWith('.sol')).sort()
  const sources = Object.fromEntries(files.map((name) => [name, { content: readFileSync(join(folder, name), 'utf8') }]))
  const input = {
    language: 'Solidity',
    sources,
    settings: {
      evmVersion: set.evmVersion,
      viaIR: set.viaIR,
      optimizer: { enabled: true, runs: OPTIMIZER_RUNS },
      metadata: { appendCBOR: false, bytecodeHash: 'none' },
      outputSelection: { '*': { '*': ['abi', 'storageLayout', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences'] } },
    },
  }
  const version = String(solc.version())
  if (!version.startsWith(`${COMPILER}+`)) throw new Error(`solc ${version}; wanted ${COMPILER}`)
  const output = JSON.parse(String(solc.compile(JSON.stringify(input)))) as CompilerOutput
  const faults = (output.errors ?? []).filter((error) => !EXPECTED_WARNING.test(error.message))
  if (faults.length > 0) throw new Error(faults.map((error) => error.formattedMessage).join('\n'))
  const sourceHash = createHash('sha256').update(JSON.stringify(files.map((name) => [name, sources[name]?.content]))).digest('hex')
  return set.contracts.map((place) => {
    const [file, contract = file] = place.split(':')
    const compiled = file === undefined || contract === undefined ? undefined : output.contracts?.[`${file}.sol`]?.[contract]
    if (compiled === undefined) throw new Error(`${set.sources}/${file}.sol has no contract ${contract}`)
    const { bytecode, deployedBytecode } = compiled.evm
    const immutables = Object.values(deployedBytecode.immutableReferences ?? {})
    if (immutables.length > 0 && !set.mayHaveImmutables) throw new Error(`${contract} has immutable variables`)
    if (immutables.length > 1) throw new Error(`${contract} has more than one immutable variable: contracts/genesis.ts fills in one`)
    const storage = compiled.storageLayout.storage.map(({ slot, offset, label, type }) => ({ slot: Number(slot), offset, label, type: type.replace(/\)\d+/g, ')') }))
    const artifact = {
      contract,
      compiler: version,
      evmVersion: set.evmVersion,
      optimizerRuns: OPTIMIZER_RUNS,
      sourceHash,
      abi: compiled.abi,
      storage,
      bytecode: `0x${bytecode.object}`,
      runtime: `0x${deployedBytecode.object}`,
      ...(set.mayHaveImmutables ? { immutables: immutables.flatMap((places) => places.map(({ start }) => start)).sort((a, b) => a - b) } : {}),
    }
    return [join(set.artifacts, `${contract}.json`), `${JSON.stringify(artifact, null, 1)}\n`] as const
  })
}

function main(isCheck: boolean): void {
  const stale: string[] = []
  for (const [path, text] of compileContracts()) {
    const file = join(ROOT, path)
    if (isCheck) {
      if (readFileSync(file, 'utf8') !== text) stale.push(path)
      continue
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    const { runtime } = JSON.parse(text) as { readonly runtime: string }
    console.log(`${path}: ${(runtime.length - 2) / 2} bytes of code`)
  }
  if (stale.length > 0) {
    console.error(`not what the sources give: ${stale.join(', ')}; run node scripts/contracts.ts`)
    process.exit(1)
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.includes('--check'))
