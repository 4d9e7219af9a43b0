/** The three public networks (spec 1.1, 1.2), as SmartMeshFoundation/Spectrum 1.1.0 has them. */
import { inputError } from '../../base/index.ts'
import type { GenesisAccount, Network } from './network.ts'

const SMT = 10n ** 18n
const account = (address: GenesisAccount['address'], balanceWei: bigint): GenesisAccount => ({ address, balanceWei })

export const MAINNET: Network = {
  name: 'mainnet',
  chainId: 20180430n,
  networkId: 1,
  genesisHash: '0xa8ab5ecb308dd061e6baa8c8a04a62b3e35fae7aae1393921f8d52deac2c5712',
  genesis: {
    timeSeconds: 0,
    difficulty: 2n,
    gasLimit: 5_000_000n,
    signer: '0x3a5fbac6ca913599c5fde8c1638db58d01de8a48',
    accounts: [
      account('0x3a5fbac6ca913599c5fde8c1638db58d01de8a48', SMT),
      account('0xad4c80164065a3c33dd2014908c7563eff88ab49', SMT),
      account('0xc22d53456abd14da347517a4b47ea24866b8e3ae', SMT),
      account('0xa9a461abfac6a9a058a6ef2198fd2780e7d4f7e2', 2650n * SMT),
      account('0xf2f53382ca0f0f26c768743ff2e17a3794673172', 3_141_590_000n * SMT),
    ],
  },
  periodSeconds: 15,
  forks: { sip001: 0, sip002: 588_888, sip003: 808_888, sip004: 8_654_321, sip100: 2_823_366 },
  chiefs: [
    { version: '0.0.5', startBlock: 2, address: '0xf0d2ad4e0d25cfea98e9640329993bbc52396abd' },
    { version: '0.0.6', startBlock: 595_888, address: '0xba7f507d5aab3e931312512c234fbeb85cbd9dce' },
    { version: '1.0.0', startBlock: 2_823_366, address: '0x890eb8566550e7337c7788ff971a3996860c51b5' },
  ],
  chiefBase: '0xe1c749f45ee14180853e552d3349cc58972cd082',
  poc: '0xb9b4ece952c8005f009801e5ec78e116f528c1d0',
  anmap: { startBlock: 2_686_801, address: '0x23fb7fa0f6f88ce56b70ac3d671315f5baf84bb9' },
  burn: { block: 2_823_366, address: '0xe0014a4268ad3d7b131551be47bc6ed72a6937e4', mostWei: 376_991_118_360_000_000_000_000_000n },
  uncheckedDifficulty: [2, 595_888, 2_823_366],
  uncheckedGasLimit: 8_654_321,
  uncheckedVolunteer: 2_823_366,
  firstJudgedBlock: 4,
}

export const TESTNET: Network = {
  name: 'testnet',
  chainId: 2022n,
  networkId: 3,
  genesisHash: '0x464dfae7a2e140e76376f732c6be542880064d0a9b8350ceb2259b811827e7c6',
  genesis: {
    timeSeconds: 0,
    difficulty: 1n,
    gasLimit: 16_777_216n,
    signer: '0x4110bd1ff0b73fa12c259acf39c950277f266787',
    accounts: [
      account('0x04997160af47da56cee0288b34b8306127d9c21b', 8n * 10n ** 28n),
      account('0x4110bd1ff0b73fa12c259acf39c950277f266787', 8n * 10n ** 28n),
      account('0x9a918c6b62e34e876e50bf6f33a4cbc9cb2fc491', 8n * 10n ** 28n),
    ],
  },
  periodSeconds: 15,
  forks: { sip001: 24, sip002: 24, sip003: 24, sip004: 27, sip100: 26 },
  chiefs: [
    { version: '0.0.2', startBlock: 2, address: '0x75f7d812142c6f4bb39ad2c70424cf27869eab33' },
    { version: '1.0.0', startBlock: 26, address: '0x754ff9bdc93c66ff235b7aaadcaeecdd63442657' },
  ],
  chiefBase: '0xa44b4ff09825f8c21fc4ad7faa125a0d6238d0fd',
  poc: '0x32bcf7d3b48a7ceaa1b45199cb94098d0b3b3112',
  anmap: null,
  burn: null,
  uncheckedDifficulty: [2, 26],
  uncheckedGasLimit: 27,
  uncheckedVolunteer: 26,
  firstJudgedBlock: 4,
}

export const DEVNET: Network = {
  name: 'devnet',
  chainId: 4n,
  networkId: 1,
  genesisHash: '0xe11f21ee330cfb50c3f31d9b792df2fb5e196739d562e642416974f339aa4304',
  genesis: {
    timeSeconds: 0,
    difficulty: 1n,
    gasLimit: 16_777_216n,
    signer: '0x9944d0cc757cd9391ee320fc17d5b6f61693f2c5',
    accounts: [
      account('0xbf1736a65f8beadd71b321be585fd883503fdeaa', 5n * 10n ** 27n),
      account('0xd3b38478f7edb9bb55270ee5389706dc9ca6d98f', 5n * 10n ** 27n),
    ],
  },
  periodSeconds: 3,
  forks: { sip001: 0, sip002: 1, sip003: 3, sip004: 4, sip100: 63 },
  chiefs: [
    { version: '0.0.7', startBlock: 3, address: '0x57d2bcd8d702999daf240793919675c90b12a17a' },
    { version: '1.0.0', startBlock: 63, address: '0x21c5dc409138205291d6a7ef2dbb1701ac02ff96' },
  ],
  chiefBase: '0xf096d7f8ae3cd0a85e593accac5e7bc38a756111',
  poc: '0x48e0f07faf58bc6e713d5c6373ce4f2a8b5c359a',
  anmap: { startBlock: 6, address: '0x143084accd6472ad502b59c3197f9ed5f797b966' },
  burn: null,
  uncheckedDifficulty: [3, 63],
  uncheckedGasLimit: 4,
  uncheckedVolunteer: 63,
  firstJudgedBlock: 4,
}

export const PUBLIC_NETWORKS: readonly Network[] = [MAINNET, TESTNET, DEVNET]

/** Error: input `network`. */
export function publicNetwork(name: string): Network {
  const network = PUBLIC_NETWORKS.find((known) => known.name === name)
  if (network === undefined) throw inputError('network', name, PUBLIC_NETWORKS.map((known) => known.name).join(', '))
  return network
}
