// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bad, Guarded} from "./Guarded.sol";
import {Signed} from "./Signed.sol";
import {IErc20, Tokens} from "./Tokens.sol";

interface ISecretRegistry {
    function getSecretRevealBlockHeight(bytes32 secretHash) external view returns (uint256);
}

/// Payment channels between two accounts in any ERC-20 token. One contract holds the channels of all pairs.
///
/// HOW MONEY IS COUNTED. A channel has two sides. What a side has paid the other one off the chain is one number
/// that only grows, `transferred`, signed by the payer in balance proofs and in vouchers. On the chain each side has
///   deposit    what was paid in for it,
///   claimed    what of its vouchers has been paid out to the partner already,
///   withdrawn  what has been paid out to its owner while the channel stayed open.
/// The pot of a channel is the sum of both deposits less what both sides claimed and withdrew. All that the contract
/// holds of a token is the sum of that token's pots and of `owed`. With paid(X) = max(transferred(X), claimed(X)),
/// settling gives side A, clamped to 0 .. pot,
///   deposit(A) + paid(B) - claimed(B) - paid(A) - withdrawn(A)
/// and B the rest of the pot.
///
/// LIVES. A pair has one channel per token, with the same id for ever. Each opening starts a new epoch, and every
/// signature names the epoch: nothing signed for one life means anything in another one.
///   none (0) --deposit, openFor--> open (1) --close--> closed (2) --settle--> none
///                                  open (1) --coopSettle--> none
/// Closed, until settleBlock: both sides post what they got (update, unlock, claim). Then 257 more blocks in which only
/// punish does anything. Then anybody may settle.
///
/// WHAT IT CANNOT SEE, and what a participant must therefore keep to off the chain:
///  1. A voucher lets its payee take from the pot, at any time, all that the counter says, also what proofs had moved
///     before. So a payer signs one only while all that the payee has given (transferred and locked) is covered by the
///     payee's own deposit less his withdrawals; and takes from the payee later only what that deposit, and receipts
///     above the highest voucher, cover. Otherwise the payee can take out what he has already given back.
///  2. Withdraw and coopSettle do what both have signed. Sign only what leaves the newest proofs and vouchers covered.
///  3. A top-up by anybody makes a signed coopSettle fail, since its amounts are no longer the pot. Sign again, or close.
///
/// ORDER INSIDE. Every function checks, writes, and calls a token last; and no function can be entered while a token
/// runs. Tokens whose balances change by themselves do not belong here; tokens that take a fee are refused.
contract PhotonV2 is Guarded {
    using Tokens for IErc20;

    struct Side {
        uint128 deposit;
        uint128 claimed;
        /// First 24 bytes of keccak(locksroot, transferred) of the newest posted proof; 0 for none.
        bytes24 balanceHash;
        uint64 nonce;
        uint128 withdrawn;
        /// Promises to watchers, in `rewards`.
        uint8 rewardCount;
        /// Its payee unlocked what he had given up: proofs and vouchers of this side are worth nothing.
        bool isVoided;
    }

    struct Channel {
        uint64 epoch;
        uint64 settleBlock;
        uint32 settleTimeout;
        uint8 state;
        mapping(address => Side) sides;
    }

    struct Reward {
        address watcher;
        uint96 amount;
    }

    /// A proof that a third account posts for its receiver.
    struct DelegatedUpdate {
        address token;
        address partner;
        address receiver;
        uint256 transferred;
        bytes32 locksroot;
        uint64 nonce;
        bytes32 extra;
        /// Zero: whoever is first.
        address watcher;
        uint128 reward;
    }

    struct Voucher {
        address token;
        address payer;
        address payee;
        uint128 cumulative;
        bytes32 tip;
        uint32 steps;
        uint128 unit;
    }

    uint8 private constant NONE = 0;
    uint8 private constant OPEN = 1;
    uint8 private constant CLOSED = 2;

    uint32 private constant MIN_SETTLE_TIMEOUT = 6;
    uint32 private constant MAX_SETTLE_TIMEOUT = 2_700_000;
    uint64 private constant PUNISH_BLOCKS = 257;
    /// Settling pays them one after the other; there must be an end to that.
    uint8 private constant MAX_REWARDS = 4;

    // 1 to 3: Signed. 4 and 8: Tokens. 27: Guarded.
    uint8 private constant BAD_PARTIES = 5;
    uint8 private constant BAD_OPENING = 6;
    uint8 private constant BAD_TOP_UP = 7;
    uint8 private constant BAD_NOT_OPEN = 9;
    uint8 private constant BAD_SIGNER = 10;
    uint8 private constant BAD_NOT_IN_DISPUTE = 11;
    uint8 private constant BAD_NONCE = 12;
    uint8 private constant BAD_WATCHER = 13;
    uint8 private constant BAD_STATE = 14;
    uint8 private constant BAD_EXPIRED = 15;
    uint8 private constant BAD_CONSENT = 16;
    uint8 private constant BAD_SUM = 17;
    uint8 private constant BAD_TOTAL = 18;
    uint8 private constant BAD_PREIMAGE = 19;
    uint8 private constant BAD_VALUE = 20;
    uint8 private constant BAD_SECRET = 22;
    uint8 private constant BAD_UNLOCKED_BEFORE = 23;
    uint8 private constant BAD_NOT_UNLOCKED = 24;
    uint8 private constant BAD_TOO_EARLY = 25;
    uint8 private constant BAD_REWARD = 26;
    uint8 private constant BAD_POT = 29;
    uint8 private constant BAD_VOIDED = 30;
    uint8 private constant BAD_CALLER = 31;

    bytes32 private constant BALANCE_PROOF = keccak256(
        "BalanceProof(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,bytes32 extra)"
    );
    bytes32 private constant UPDATE_DELEGATE = keccak256(
        "UpdateDelegate(bytes32 channel,uint64 epoch,uint64 nonce,uint256 transferred,bytes32 locksroot,address watcher,uint128 reward)"
    );
    bytes32 private constant COOP_SETTLE = keccak256(
        "CoopSettle(bytes32 channel,uint64 epoch,address p1,uint256 b1,address p2,uint256 b2,uint64 validUntil)"
    );
    bytes32 private constant WITHDRAW =
        keccak256("Withdraw(bytes32 channel,uint64 epoch,address participant,uint128 total,uint64 validUntil)");
    bytes32 private constant VOUCHER = keccak256(
        "Voucher(bytes32 channel,uint64 epoch,uint256 cumulative,bytes32 tip,uint32 steps,uint128 unit)"
    );
    bytes32 private constant DISPOSED =
        keccak256("Disposed(bytes32 channel,uint64 epoch,bytes32 lockhash,bytes32 extra)");
    bytes32 private constant OPEN_FOR = keccak256(
        "Open(bytes32 channel,uint64 epoch,address participant,uint128 amount,uint32 settleTimeout,uint64 validUntil)"
    );

    bytes32 public immutable domainSeparator;

    // Slot 0 is the guard. Slots 1 to 6, in this order: light nodes read them by proof.
    uint256 public chainId;
    ISecretRegistry public secretRegistry;
    mapping(bytes32 => Channel) private channels;
    /// keccak(id, epoch, payer, payer's nonce, lock hash) -> the payee has unlocked it.
    mapping(bytes32 => bool) private unlocked;
    /// keccak(id, epoch, receiver, index)
    mapping(bytes32 => Reward) private rewards;
    /// token -> account -> what could not be paid to it when its channel was settled.
    mapping(address => mapping(address => uint256)) public owed;

    /// `a` is the lower of the two addresses, here and in Settled.
    event Opened(
        bytes32 indexed id, address indexed a, address indexed b, address token, uint64 epoch, uint32 settleTimeout
    );
    event Deposited(bytes32 indexed id, address participant, uint256 total);
    event Closed(
        bytes32 indexed id, address by, uint64 nonce, bytes32 locksroot, uint256 transferred, uint64 settleBlock
    );
    event Updated(bytes32 indexed id, address payer, uint64 nonce, bytes32 locksroot, uint256 transferred);
    event Unlocked(bytes32 indexed id, address payer, bytes32 lockhash, uint256 transferred);
    event Punished(bytes32 indexed id, address cheater, bytes32 lockhash);
    event Claimed(bytes32 indexed id, address payer, uint256 cumulative);
    event Withdrawn(bytes32 indexed id, address participant, uint256 total);
    event Settled(bytes32 indexed id, uint256 amountA, uint256 amountB, bool cooperative);
    event Rewarded(bytes32 indexed id, address watcher, uint256 amount);
    event Owed(address indexed token, address indexed to, uint256 amount);

    /// The chain's id as transactions of this chain are signed with it; it goes into every digest.
    constructor(uint256 chainId_, ISecretRegistry registry) {
        if (chainId_ == 0 || address(registry).code.length == 0) revert Bad(BAD_PARTIES);
        chainId = chainId_;
        secretRegistry = registry;
        domainSeparator = Signed.domain("Photon", "2", chainId_);
    }

    // ---- opening and paying in

    /// Opens a channel, or adds to one that is open. The sender pays, from what he has allowed this contract.
    /// Opening: only the participant himself, with the next epoch. Adding: anybody; epoch and timeout must be the
    /// channel's, so that nobody adds to a channel that is not the one he means.
    function deposit(
        address token,
        address participant,
        address partner,
        uint128 amount,
        uint32 settleTimeout,
        uint64 epoch
    ) external alone {
        bytes32 id = checkedId(token, participant, partner, amount);
        Channel storage channel = channels[id];
        if (channel.state == NONE) {
            if (msg.sender != participant) revert Bad(BAD_OPENING);
            open(id, channel, token, participant, partner, settleTimeout, epoch);
        } else if (channel.state != OPEN || channel.epoch != epoch || channel.settleTimeout != settleTimeout) {
            revert Bad(BAD_TOP_UP);
        }
        payIn(id, channel, token, participant, amount);
    }

    /// Opens a channel for a participant who has signed for exactly that; the sender pays. The epoch makes the
    /// signature good for one opening. Somebody else may use it: he then pays for the participant.
    function openFor(
        address token,
        address participant,
        address partner,
        uint128 amount,
        uint32 settleTimeout,
        uint64 epoch,
        uint64 validUntil,
        bytes calldata signature
    ) external alone {
        bytes32 id = checkedId(token, participant, partner, amount);
        Channel storage channel = channels[id];
        if (channel.state != NONE) revert Bad(BAD_OPENING);
        if (block.number > validUntil) revert Bad(BAD_EXPIRED);
        bytes32 hash = keccak256(abi.encode(OPEN_FOR, id, epoch, participant, amount, settleTimeout, validUntil));
        if (Signed.signer(domainSeparator, hash, signature) != participant) revert Bad(BAD_SIGNER);
        open(id, channel, token, participant, partner, settleTimeout, epoch);
        payIn(id, channel, token, participant, amount);
    }

    function checkedId(address token, address participant, address partner, uint128 amount)
        private
        view
        returns (bytes32)
    {
        if (amount == 0 || participant == partner || participant == address(0) || partner == address(0)) {
            revert Bad(BAD_PARTIES);
        }
        if (token.code.length == 0) revert Bad(BAD_PARTIES);
        return idOf(token, participant, partner);
    }

    function open(
        bytes32 id,
        Channel storage channel,
        address token,
        address participant,
        address partner,
        uint32 settleTimeout,
        uint64 epoch
    ) private {
        if (epoch != channel.epoch + 1) revert Bad(BAD_OPENING);
        if (settleTimeout < MIN_SETTLE_TIMEOUT || settleTimeout > MAX_SETTLE_TIMEOUT) revert Bad(BAD_OPENING);
        channel.epoch = epoch;
        channel.state = OPEN;
        channel.settleTimeout = settleTimeout;
        (address a, address b) = sorted(participant, partner);
        emit Opened(id, a, b, token, epoch, settleTimeout);
    }

    function payIn(bytes32 id, Channel storage channel, address token, address participant, uint128 amount) private {
        Side storage side = channel.sides[participant];
        side.deposit += amount;
        emit Deposited(id, participant, side.deposit);
        IErc20(token).take(msg.sender, amount);
    }

    // ---- paying out while the channel is open

    /// Pays `participant` so much that he has withdrawn `total` in this life. Both have signed it.
    function withdraw(
        address token,
        address participant,
        address partner,
        uint128 total,
        uint64 validUntil,
        bytes calldata participantSignature,
        bytes calldata partnerSignature
    ) external alone {
        bytes32 id = idOf(token, participant, partner);
        Channel storage channel = channels[id];
        if (channel.state != OPEN) revert Bad(BAD_NOT_OPEN);
        if (block.number > validUntil) revert Bad(BAD_EXPIRED);
        bytes32 hash = keccak256(abi.encode(WITHDRAW, id, channel.epoch, participant, total, validUntil));
        checkConsent(hash, participant, participantSignature, partner, partnerSignature);
        Side storage side = channel.sides[participant];
        if (total <= side.withdrawn) revert Bad(BAD_TOTAL);
        uint256 more = total - side.withdrawn;
        if (more > pot(side, channel.sides[partner])) revert Bad(BAD_POT);
        side.withdrawn = total;
        emit Withdrawn(id, participant, total);
        IErc20(token).give(participant, more);
    }

    /// Pays the payee what a voucher is worth beyond what was claimed before. `preimage`, hashed `count` times with
    /// sha256, is the voucher's tip: each step is worth one `unit` on top of `cumulative`. Anybody may send it.
    function claim(Voucher calldata voucher, bytes calldata signature, bytes32 preimage, uint32 count) external alone {
        bytes32 id = idOf(voucher.token, voucher.payer, voucher.payee);
        Channel storage channel = channels[id];
        if (channel.state != OPEN) checkDispute(channel);
        checkVoucher(id, channel.epoch, voucher, signature, preimage, count);
        Side storage side = channel.sides[voucher.payer];
        if (side.isVoided) revert Bad(BAD_VOIDED);
        uint256 total = uint256(voucher.cumulative) + uint256(voucher.unit) * count;
        if (total <= side.claimed || total + side.withdrawn > side.deposit) revert Bad(BAD_VALUE);
        uint256 more = total - side.claimed;
        // The partner's withdrawals may have reached into this side's deposit.
        if (more > pot(side, channel.sides[voucher.payee])) revert Bad(BAD_POT);
        side.claimed = uint128(total); // at most the deposit
        emit Claimed(id, voucher.payer, total);
        IErc20(voucher.token).give(voucher.payee, more);
    }

    function checkVoucher(
        bytes32 id,
        uint64 epoch,
        Voucher calldata voucher,
        bytes calldata signature,
        bytes32 preimage,
        uint32 count
    ) private view {
        if (count > voucher.steps) revert Bad(BAD_PREIMAGE);
        bytes32 hash = keccak256(
            abi.encode(VOUCHER, id, epoch, uint256(voucher.cumulative), voucher.tip, voucher.steps, voucher.unit)
        );
        if (Signed.signer(domainSeparator, hash, signature) != voucher.payer) revert Bad(BAD_SIGNER);
        if (count == 0) return;
        bytes32 tip = preimage;
        for (uint32 step = 0; step < count; step++) {
            tip = sha256(abi.encodePacked(tip));
        }
        if (tip != voucher.tip) revert Bad(BAD_PREIMAGE);
    }

    // ---- the peaceful end

    /// Ends the channel at once, with the shares that both have signed.
    function coopSettle(
        address token,
        address p1,
        uint256 b1,
        address p2,
        uint256 b2,
        uint64 validUntil,
        bytes calldata signature1,
        bytes calldata signature2
    ) external alone {
        bytes32 id = idOf(token, p1, p2);
        Channel storage channel = channels[id];
        if (channel.state != OPEN) revert Bad(BAD_NOT_OPEN);
        if (block.number > validUntil) revert Bad(BAD_EXPIRED);
        bytes32 hash = keccak256(abi.encode(COOP_SETTLE, id, channel.epoch, p1, b1, p2, b2, validUntil));
        checkConsent(hash, p1, signature1, p2, signature2);
        uint256 whole = pot(channel.sides[p1], channel.sides[p2]);
        if (b1 > whole || b2 != whole - b1) revert Bad(BAD_SUM);
        finish(channel, p1, p2);
        emitSettled(id, p1, b1, p2, b2, true);
        payOut(token, p1, b1);
        payOut(token, p2, b2);
    }

    // ---- the dispute

    /// By a participant, with the newest proof that he got (nonce 0: none). Starts the time for the dispute.
    function close(
        address token,
        address partner,
        uint256 transferred,
        bytes32 locksroot,
        uint64 nonce,
        bytes32 extra,
        bytes calldata signature
    ) external notInside {
        bytes32 id = idOf(token, msg.sender, partner);
        Channel storage channel = channels[id];
        if (channel.state != OPEN) revert Bad(BAD_NOT_OPEN);
        channel.state = CLOSED;
        channel.settleBlock = uint64(block.number) + channel.settleTimeout;
        if (nonce == 0) {
            emit Closed(id, msg.sender, 0, 0, 0, channel.settleBlock);
            return;
        }
        post(id, channel, partner, transferred, locksroot, nonce, extra, signature);
        emit Closed(id, msg.sender, nonce, locksroot, transferred, channel.settleBlock);
    }

    /// By the receiver of a newer proof. Nobody else: a payer could post what he signed for nobody, with the highest
    /// nonce and nothing transferred.
    function update(
        address token,
        address partner,
        uint256 transferred,
        bytes32 locksroot,
        uint64 nonce,
        bytes32 extra,
        bytes calldata signature
    ) external notInside {
        bytes32 id = idOf(token, msg.sender, partner);
        Channel storage channel = channels[id];
        checkDispute(channel);
        post(id, channel, partner, transferred, locksroot, nonce, extra, signature);
        emit Updated(id, partner, nonce, locksroot, transferred);
    }

    /// The same for a receiver who is away: he has signed exactly this state, who may post it, and for how much.
    /// The reward is paid when the channel is settled, out of what is then the receiver's: paid at once, it could
    /// come from money that he has passed to his partner off the chain, by a proof not yet posted.
    function updateDelegate(
        DelegatedUpdate calldata u,
        bytes calldata partnerSignature,
        bytes calldata receiverSignature
    ) external notInside {
        bytes32 id = idOf(u.token, u.receiver, u.partner);
        Channel storage channel = channels[id];
        checkDispute(channel);
        if (u.watcher != address(0) && u.watcher != msg.sender) revert Bad(BAD_WATCHER);
        bytes32 hash = keccak256(
            abi.encode(UPDATE_DELEGATE, id, channel.epoch, u.nonce, u.transferred, u.locksroot, u.watcher, u.reward)
        );
        if (Signed.signer(domainSeparator, hash, receiverSignature) != u.receiver) revert Bad(BAD_SIGNER);
        post(id, channel, u.partner, u.transferred, u.locksroot, u.nonce, u.extra, partnerSignature);
        if (u.reward > 0) promiseReward(id, channel, u.receiver, u.reward);
        emit Updated(id, u.partner, u.nonce, u.locksroot, u.transferred);
    }

    function promiseReward(bytes32 id, Channel storage channel, address receiver, uint128 reward) private {
        Side storage side = channel.sides[receiver];
        if (side.rewardCount == MAX_REWARDS || reward > type(uint96).max) revert Bad(BAD_REWARD);
        rewards[rewardKey(id, channel.epoch, receiver, side.rewardCount)] = Reward(msg.sender, uint96(reward));
        side.rewardCount++;
    }

    /// By the receiver of a lock of the newest posted proof, when its secret was registered in time. `transferred`:
    /// as posted, plus what was unlocked since. `proof`: the siblings from the lock to the root.
    function unlock(
        address token,
        address partner,
        uint256 transferred,
        uint256 expiration,
        uint256 amount,
        bytes32 secretHash,
        bytes32[] calldata proof
    ) external notInside {
        bytes32 id = idOf(token, msg.sender, partner);
        Channel storage channel = channels[id];
        checkDispute(channel);
        uint256 revealed = secretRegistry.getSecretRevealBlockHeight(secretHash);
        if (revealed == 0 || revealed > expiration) revert Bad(BAD_SECRET);
        bytes32 lockhash = keccak256(abi.encodePacked(expiration, amount, secretHash));
        bytes32 root = rootOf(lockhash, proof);
        Side storage side = channel.sides[partner];
        if (side.balanceHash != balanceHashOf(transferred, root)) revert Bad(BAD_STATE);
        bytes32 key = unlockKey(id, channel.epoch, partner, side.nonce, lockhash);
        if (unlocked[key]) revert Bad(BAD_UNLOCKED_BEFORE);
        unlocked[key] = true;
        transferred += amount;
        side.balanceHash = balanceHashOf(transferred, root);
        emit Unlocked(id, partner, lockhash, transferred);
    }

    /// By the payer of a lock that its receiver has unlocked after signing that he gives it up. The receiver loses
    /// what is left of his deposit, and what this payer paid him in proofs, and in vouchers not yet claimed.
    function punish(address token, address cheater, bytes32 lockhash, bytes32 extra, bytes calldata signature)
        external
        notInside
    {
        bytes32 id = idOf(token, msg.sender, cheater);
        Channel storage channel = channels[id];
        if (channel.state != CLOSED) revert Bad(BAD_NOT_IN_DISPUTE);
        Side storage own = channel.sides[msg.sender];
        bytes32 key = unlockKey(id, channel.epoch, msg.sender, own.nonce, lockhash);
        if (!unlocked[key]) revert Bad(BAD_NOT_UNLOCKED);
        bytes32 hash = keccak256(abi.encode(DISPOSED, id, channel.epoch, lockhash, extra));
        if (Signed.signer(domainSeparator, hash, signature) != cheater) revert Bad(BAD_SIGNER);
        unlocked[key] = false;
        own.balanceHash = 0;
        own.nonce = type(uint64).max;
        own.isVoided = true;
        Side storage other = channel.sides[cheater];
        uint256 gone = uint256(other.claimed) + other.withdrawn;
        if (other.deposit > gone) {
            uint128 free = uint128(other.deposit - gone);
            other.deposit -= free;
            own.deposit += free;
        }
        emit Punished(id, cheater, lockhash);
    }

    /// Ends a closed channel, 258 blocks after its settle block or later. The arguments are what the posted proofs
    /// (and unlocks) say, 0 and 0 for none. Anybody may send it.
    function settle(
        address token,
        address p1,
        uint256 transferred1,
        bytes32 locksroot1,
        address p2,
        uint256 transferred2,
        bytes32 locksroot2
    ) external alone {
        bytes32 id = idOf(token, p1, p2);
        Channel storage channel = channels[id];
        if (channel.state != CLOSED) revert Bad(BAD_NOT_IN_DISPUTE);
        if (block.number <= uint256(channel.settleBlock) + PUNISH_BLOCKS) revert Bad(BAD_TOO_EARLY);
        Side memory side1 = channel.sides[p1];
        Side memory side2 = channel.sides[p2];
        if (side1.balanceHash != balanceHashOf(transferred1, locksroot1)) revert Bad(BAD_STATE);
        if (side2.balanceHash != balanceHashOf(transferred2, locksroot2)) revert Bad(BAD_STATE);
        uint256 whole = pot(side1, side2);
        uint256 share1 = shareOf(side1, transferred1, side2, transferred2, whole);
        uint64 epoch = channel.epoch;
        finish(channel, p1, p2);
        emitSettled(id, p1, share1, p2, whole - share1, false);
        payShare(token, id, epoch, p1, side1.rewardCount, share1);
        payShare(token, id, epoch, p2, side2.rewardCount, whole - share1);
    }

    /// What the watchers were promised first, as far as it goes; then the receiver.
    function payShare(address token, bytes32 id, uint64 epoch, address to, uint8 rewardCount, uint256 share) private {
        for (uint8 index = 0; index < rewardCount; index++) {
            bytes32 key = rewardKey(id, epoch, to, index);
            Reward memory reward = rewards[key];
            delete rewards[key];
            uint256 amount = reward.amount < share ? reward.amount : share;
            share -= amount;
            emit Rewarded(id, reward.watcher, amount);
            payOut(token, reward.watcher, amount);
        }
        payOut(token, to, share);
    }

    // ---- paying out at the end

    /// A payment that fails, because the token refuses the one receiver for instance, must not hold the other one's
    /// money: it is noted and can be collected.
    function payOut(address token, address to, uint256 amount) private {
        if (amount == 0) return;
        try this.transferOut(token, to, amount) {}
        catch {
            owed[token][to] += amount;
            emit Owed(token, to, amount);
        }
    }

    /// By this contract alone: a call of its own, so that a transfer that fails leaves nothing behind.
    function transferOut(address token, address to, uint256 amount) external {
        if (msg.sender != address(this)) revert Bad(BAD_CALLER);
        IErc20(token).give(to, amount);
    }

    /// Pays what could not be paid when a channel was settled. Anybody may send it; it goes to whom it belongs.
    function collect(address token, address to) external alone {
        uint256 amount = owed[token][to];
        if (amount == 0) revert Bad(BAD_VALUE);
        delete owed[token][to];
        IErc20(token).give(to, amount);
    }

    // ---- reading

    function idOf(address token, address p1, address p2) public view returns (bytes32) {
        (address a, address b) = sorted(p1, p2);
        return keccak256(abi.encodePacked(a, b, token, address(this)));
    }

    function info(address token, address p1, address p2)
        external
        view
        returns (bytes32 id, uint64 epoch, uint64 settleBlock, uint8 state, uint32 settleTimeout)
    {
        id = idOf(token, p1, p2);
        Channel storage channel = channels[id];
        return (id, channel.epoch, channel.settleBlock, channel.state, channel.settleTimeout);
    }

    function sideOf(address token, address participant, address partner)
        external
        view
        returns (uint128 depositTotal, uint128 claimed, uint128 withdrawn, uint64 nonce, bytes24 balanceHash)
    {
        Side storage side = channels[idOf(token, participant, partner)].sides[participant];
        return (side.deposit, side.claimed, side.withdrawn, side.nonce, side.balanceHash);
    }

    // ---- rules used above

    function checkDispute(Channel storage channel) private view {
        if (channel.state != CLOSED || block.number > channel.settleBlock) revert Bad(BAD_NOT_IN_DISPUTE);
    }

    function checkConsent(bytes32 hash, address p1, bytes calldata signature1, address p2, bytes calldata signature2)
        private
        view
    {
        if (Signed.signer(domainSeparator, hash, signature1) != p1) revert Bad(BAD_CONSENT);
        if (Signed.signer(domainSeparator, hash, signature2) != p2) revert Bad(BAD_CONSENT);
    }

    /// Takes a proof that `payer` signed, newer than the one that stands.
    function post(
        bytes32 id,
        Channel storage channel,
        address payer,
        uint256 transferred,
        bytes32 locksroot,
        uint64 nonce,
        bytes32 extra,
        bytes calldata signature
    ) private {
        bytes32 hash = keccak256(abi.encode(BALANCE_PROOF, id, channel.epoch, nonce, transferred, locksroot, extra));
        if (Signed.signer(domainSeparator, hash, signature) != payer) revert Bad(BAD_SIGNER);
        Side storage side = channel.sides[payer];
        if (nonce <= side.nonce) revert Bad(BAD_NONCE);
        side.nonce = nonce;
        side.balanceHash = balanceHashOf(transferred, locksroot);
    }

    function finish(Channel storage channel, address p1, address p2) private {
        delete channel.sides[p1];
        delete channel.sides[p2];
        channel.state = NONE;
        channel.settleBlock = 0;
        channel.settleTimeout = 0;
    }

    function emitSettled(bytes32 id, address p1, uint256 amount1, address p2, uint256 amount2, bool cooperative)
        private
    {
        (uint256 amountA, uint256 amountB) = p1 < p2 ? (amount1, amount2) : (amount2, amount1);
        emit Settled(id, amountA, amountB, cooperative);
    }

    /// Cannot go below zero: claim and withdraw take no more than it.
    function pot(Side memory side1, Side memory side2) private pure returns (uint256) {
        return uint256(side1.deposit) + side2.deposit - side1.claimed - side2.claimed - side1.withdrawn
            - side2.withdrawn;
    }

    /// Side 1's share of the pot. `transferred` is whatever a payer signed, up to 2^256 - 1: sums stop there.
    function shareOf(
        Side memory side1,
        uint256 transferred1,
        Side memory side2,
        uint256 transferred2,
        uint256 whole
    ) private pure returns (uint256) {
        uint256 paid1 = transferred1 > side1.claimed ? transferred1 : side1.claimed;
        uint256 paid2 = transferred2 > side2.claimed ? transferred2 : side2.claimed;
        uint256 comes = added(side1.deposit, paid2);
        uint256 goes = added(paid1, uint256(side2.claimed) + side1.withdrawn);
        if (comes <= goes) return 0;
        return comes - goes < whole ? comes - goes : whole;
    }

    function added(uint256 x, uint256 y) private pure returns (uint256) {
        return x > type(uint256).max - y ? type(uint256).max : x + y;
    }

    function balanceHashOf(uint256 transferred, bytes32 locksroot) private pure returns (bytes24) {
        if (transferred == 0 && locksroot == 0) return 0;
        return bytes24(keccak256(abi.encodePacked(locksroot, transferred)));
    }

    /// Leaves are hashes of 96 bytes, nodes of 64: the one cannot stand for the other.
    function rootOf(bytes32 node, bytes32[] calldata proof) private pure returns (bytes32) {
        for (uint256 index = 0; index < proof.length; index++) {
            bytes32 sibling = proof[index];
            node = node < sibling
                ? keccak256(abi.encodePacked(node, sibling))
                : keccak256(abi.encodePacked(sibling, node));
        }
        return node;
    }

    function unlockKey(bytes32 id, uint64 epoch, address payer, uint64 nonce, bytes32 lockhash)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(id, epoch, payer, nonce, lockhash));
    }

    function rewardKey(bytes32 id, uint64 epoch, address receiver, uint8 index) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(id, epoch, receiver, index));
    }

    function sorted(address p1, address p2) private pure returns (address, address) {
        return p1 < p2 ? (p1, p2) : (p2, p1);
    }
}
