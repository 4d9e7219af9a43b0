/** Every command of `meshbox`, in the order of its help. A new command is a file in commands/ and a line here. */
import type { CommandSpec } from './command.ts'
import { audit } from './commands/audit.ts'
import { backup } from './commands/backup.ts'
import { chainAdopt } from './commands/chain-adopt.ts'
import { chainAlarmClear } from './commands/chain-alarm-clear.ts'
import { chainBranches } from './commands/chain-branches.ts'
import { chainCheckpoint } from './commands/chain-checkpoint.ts'
import { chainJoin } from './commands/chain-join.ts'
import { chainNew } from './commands/chain-new.ts'
import { chainPocBind } from './commands/chain-poc-bind.ts'
import { chainPocDeposit, chainPocStart, chainPocStop, chainPocWithdraw } from './commands/chain-poc-order.ts'
import { chainPocStatus } from './commands/chain-poc-status.ts'
import { chainSend } from './commands/chain-send.ts'
import { chainStatus } from './commands/chain-status.ts'
import { chainWallet } from './commands/chain-wallet.ts'
import { channelAlarm, channelAlarmClear } from './commands/channel-alarm.ts'
import { channelClose } from './commands/channel-close.ts'
import { channelDeposit, channelWithdraw } from './commands/channel-amount.ts'
import { channelDuties } from './commands/channel-duties.ts'
import { channelList } from './commands/channel-list.ts'
import { channelOpen } from './commands/channel-open.ts'
import { channelPeers, channelPeersAdd } from './commands/channel-peers.ts'
import { channelShow } from './commands/channel-show.ts'
import { channelStatus } from './commands/channel-status.ts'
import { channelUnwrap, channelWrap } from './commands/channel-wrap.ts'
import { configCheck } from './commands/config-check.ts'
import { earningsEntries } from './commands/earnings-entries.ts'
import { earnings } from './commands/earnings.ts'
import { identityRestore } from './commands/identity-restore.ts'
import { identityShow } from './commands/identity-show.ts'
import { identityWords } from './commands/identity-words.ts'
import { loraDownlinks, loraFrames, loraGateways, loraStatus } from './commands/lora.ts'
import { loraCodecPut, loraCodecRemove, loraCodecTry, loraCodecs } from './commands/lora-codec.ts'
import { loraCancel, loraDeviceForgetNonces, loraDeviceRemove, loraDeviceSet, loraDeviceShow, loraDevices, loraQueue, loraReadings, loraSend } from './commands/lora-device.ts'
import { loraReceiptVerify } from './commands/lora-receipt-verify.ts'
import { join, joinUndo, leave, meshNew } from './commands/join.ts'
import { meshBan, meshUnban } from './commands/mesh-ban.ts'
import { meshCarriageEnd, meshCarriageReadmit, meshCarriageWriteOff } from './commands/mesh-carriage.ts'
import { meshExpel, meshPardon } from './commands/mesh-expel.ts'
import { meshGuests } from './commands/mesh-guests.ts'
import { meshInvitations, meshInvite, meshTakeBack } from './commands/mesh-invite.ts'
import { meshPath } from './commands/mesh-path.ts'
import { meshPeers } from './commands/mesh-peers.ts'
import { meshPrices } from './commands/mesh-prices.ts'
import { meshStatus } from './commands/mesh-status.ts'
import { mqttStatus, mqttUserAdd, mqttUserRemove, mqttUsers } from './commands/mqtt.ts'
import { passwordSet } from './commands/password-set.ts'
import { payList } from './commands/pay-list.ts'
import { payAllowReveal, payCancel, payShow } from './commands/pay-order.ts'
import { payPaths } from './commands/pay-paths.ts'
import { pay } from './commands/pay.ts'
import { payoutList, payoutNote, payoutPay, payoutResume, payoutShow, payoutStatement } from './commands/payout.ts'
import { payoutVerify } from './commands/payout-verify.ts'
import { receiptVerify } from './commands/receipt-verify.ts'
import { reload } from './commands/reload.ts'
import { ruleList, ruleRemove, ruleRuns, ruleSet, ruleTry } from './commands/rule.ts'
import { sessionsExtend } from './commands/sessions-extend.ts'
import { sessionsKick } from './commands/sessions-kick.ts'
import { sessionsList } from './commands/sessions-list.ts'
import { sessionsPause } from './commands/sessions-pause.ts'
import { sessionsRefund } from './commands/sessions-refund.ts'
import { sessionsResume } from './commands/sessions-resume.ts'
import { sessionsShow } from './commands/sessions-show.ts'
import { status } from './commands/status.ts'
import { supportBundle } from './commands/support-bundle.ts'
import { tariffSet } from './commands/tariff-set.ts'
import { tariffShow } from './commands/tariff-show.ts'
import { tenantBill, tenantCatchUp, tenantEnd, tenantForgetKeys, tenantKeys, tenantList, tenantPause, tenantResume, tenantSet, tenantShow } from './commands/tenant.ts'
import { toolBlockReplay } from './commands/tool-block-replay.ts'
import { toolBlock } from './commands/tool-block.ts'
import { toolChannelId } from './commands/tool-channel-id.ts'
import { toolHeader } from './commands/tool-header.ts'
import { toolGwmpDecode } from './commands/tool-gwmp-decode.ts'
import { toolLoraDecode } from './commands/tool-lora-decode.ts'
import { toolLoraEncode } from './commands/tool-lora-encode.ts'
import { toolLoraJoin } from './commands/tool-lora-join.ts'
import { toolPhotonDecode } from './commands/tool-photon-decode.ts'
import { toolPhotonEncode } from './commands/tool-photon-encode.ts'
import { toolPhotonVerify } from './commands/tool-photon-verify.ts'
import { toolProof } from './commands/tool-proof.ts'
import { toolVrfProve } from './commands/tool-vrf-prove.ts'
import { toolVrfVerify } from './commands/tool-vrf-verify.ts'
import { voucherBatches } from './commands/voucher-batches.ts'
import { voucherCreate } from './commands/voucher-create.ts'
import { voucherExport } from './commands/voucher-export.ts'
import { voucherKeyAdopt } from './commands/voucher-key-adopt.ts'
import { voucherKeyWords } from './commands/voucher-key-words.ts'
import { voucherList } from './commands/voucher-list.ts'
import { voucherRevoke } from './commands/voucher-revoke.ts'
import { voucherSheet } from './commands/voucher-sheet.ts'
import { watchStatus } from './commands/watch-status.ts'

export const COMMANDS: readonly CommandSpec[] = [
  status,
  sessionsList,
  sessionsShow,
  sessionsKick,
  sessionsPause,
  sessionsResume,
  sessionsExtend,
  sessionsRefund,
  voucherCreate,
  voucherList,
  voucherBatches,
  voucherRevoke,
  voucherSheet,
  voucherExport,
  voucherKeyWords,
  voucherKeyAdopt,
  tariffShow,
  tariffSet,
  earnings,
  earningsEntries,
  audit,
  backup,
  supportBundle,
  receiptVerify,
  identityShow,
  identityWords,
  identityRestore,
  passwordSet,
  reload,
  configCheck,
  chainStatus,
  chainNew,
  chainJoin,
  chainCheckpoint,
  chainAlarmClear,
  chainBranches,
  chainAdopt,
  chainWallet,
  chainSend,
  chainPocStatus,
  chainPocDeposit,
  chainPocStart,
  chainPocStop,
  chainPocWithdraw,
  chainPocBind,
  channelStatus,
  channelList,
  channelShow,
  channelOpen,
  channelDeposit,
  channelWithdraw,
  channelClose,
  channelWrap,
  channelUnwrap,
  channelDuties,
  channelAlarm,
  channelAlarmClear,
  channelPeers,
  channelPeersAdd,
  pay,
  payList,
  payShow,
  payCancel,
  payAllowReveal,
  payPaths,
  payoutList,
  payoutShow,
  payoutPay,
  payoutResume,
  payoutNote,
  payoutStatement,
  payoutVerify,
  watchStatus,
  join,
  joinUndo,
  leave,
  meshNew,
  meshStatus,
  meshPeers,
  meshPath,
  meshPrices,
  meshCarriageEnd,
  meshCarriageReadmit,
  meshCarriageWriteOff,
  meshGuests,
  meshInvite,
  meshInvitations,
  meshTakeBack,
  meshExpel,
  meshPardon,
  meshBan,
  meshUnban,
  loraStatus,
  loraGateways,
  loraDevices,
  loraDeviceShow,
  loraDeviceSet,
  loraDeviceRemove,
  loraDeviceForgetNonces,
  loraReadings,
  loraFrames,
  loraSend,
  loraQueue,
  loraCancel,
  loraDownlinks,
  loraCodecs,
  loraCodecPut,
  loraCodecTry,
  loraCodecRemove,
  loraReceiptVerify,
  mqttStatus,
  mqttUsers,
  mqttUserAdd,
  mqttUserRemove,
  tenantList,
  tenantShow,
  tenantSet,
  tenantPause,
  tenantResume,
  tenantEnd,
  tenantKeys,
  tenantForgetKeys,
  tenantBill,
  tenantCatchUp,
  ruleList,
  ruleTry,
  ruleSet,
  ruleRemove,
  ruleRuns,
  toolHeader,
  toolBlock,
  toolBlockReplay,
  toolVrfVerify,
  toolVrfProve,
  toolProof,
  toolPhotonDecode,
  toolPhotonEncode,
  toolPhotonVerify,
  toolChannelId,
  toolLoraDecode,
  toolLoraEncode,
  toolLoraJoin,
  toolGwmpDecode,
]
