// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AddressList} from "./AddressList.sol";
import {IChiefBase} from "./IChiefBase.sol";
import {IPoc} from "./IPoc.sol";

/// Deposits of miners ("proof of capability"). Who has one, and is not stopped, may be picked by a
/// block's VRF to seal in the next round.
///
/// | state        | in list    | stopBlock | left by                                            |
/// |--------------|------------|-----------|----------------------------------------------------|
/// | unknown      | none       | 0         | deposit                                            |
/// | normal       | normalList | 0         | stop by its owner, or by ChiefBase for a slot missed |
/// | stopped      | stopList   | > 0       | start, or withdraw after the wait                  |
///
/// A stopped miner can be on the black list too, until the epoch ends: it can then neither start nor
/// withdraw. Its deposit is never taken.
///
/// ABI, events, order of lists and storage layout are those of Spectrum's POC 1.0.0, so that a light
/// node reads both alike. Stricter than that one:
///  - nobody can become this contract's owner: it is ChiefBase from the start, and only three calls
///    are left to it. There is no call that locks a deposit for longer than an epoch, moves the
///    least deposit, or forgives a single miner;
///  - a leader cannot deposit. With a place of its own in the round it may not stand in for the round's
///    leader, and if all leaders have one, a single box that is switched off stops the chain;
///  - at most 1024 miners are normal at a time: every node reads their whole list at every block;
///  - the least deposit can never be 0. With 0, one miner could stand in the list any number of times;
///  - arithmetic is checked; money leaves after all state is written.
contract Poc is IPoc {
    using AddressList for address[];

    struct Miner {
        address owner;
        uint256 amount;
        uint256 stopBlock;
    }

    /// The least deposit halves so many times at most.
    uint256 private constant MAX_HALVINGS = 3;
    uint256 private constant MAX_MINERS = 1024;
    int8 private constant UNKNOWN = -1;
    int8 private constant UNCHANGED = 0;
    int8 private constant DONE = 1;

    // Slots 0 to 14, in this order. Light nodes read slot 1.
    mapping(address => Miner) private miners;
    address[] private normalList;
    mapping(address => uint256) private normalPlaces;
    address[] private stopList;
    mapping(address => uint256) private stopPlaces;
    address[] private blackList;
    mapping(address => uint256) private blackPlaces;
    /// Always empty here, as is its map.
    address[] private lockList;
    mapping(address => uint256) private lockPlaces;
    /// One: ChiefBase.
    address[] private owners;
    uint256 public initMinDeposit;
    uint256 public initBlockNumber;
    uint256 public depositHalveLimitNumber;
    uint256 public withdrawWaitNumber;
    /// Always 0 here.
    uint256 public newOwnerEffectiveNumber;

    event Deposit(address indexed miner, address indexed owner, uint256 amount);
    event Stop(address indexed miner);
    event Start(address indexed miner);
    event Withdraw(address indexed miner, address indexed owner, uint256 amount);

    error NotContractOwner();
    error NotMinersOwner();
    error BadSetting();
    error DepositTooSmall(uint256 least);
    error NoMinersSignature();
    error AlreadyDeposited();
    error MinerLeads();
    error TooManyMiners();
    error AlreadyStopped();
    error NotStopped();
    error BlackListed();
    error TooEarly(uint256 firstBlock);
    error NoSurplus();
    error PaymentFailed();

    modifier onlyContractOwner() {
        if (msg.sender != owners[0]) revert NotContractOwner();
        _;
    }

    modifier onlyMinersOwner(address miner) {
        if (miners[miner].owner != msg.sender) revert NotMinersOwner();
        _;
    }

    /// minDeposit: wei, at least 8, so that it is not 0 after three halvings. halveBlocks: at least 1.
    constructor(address base, uint256 minDeposit, uint256 waitBlocks, uint256 halveBlocks) {
        if (base == address(0) || minDeposit >> MAX_HALVINGS == 0 || halveBlocks == 0) revert BadSetting();
        owners.push(base);
        initMinDeposit = minDeposit;
        initBlockNumber = block.number;
        depositHalveLimitNumber = halveBlocks;
        withdrawWaitNumber = waitBlocks;
    }

    // ---- A miner's owner -------------------------------------------------------------------------

    /// The sender becomes the owner of the miner that signed keccak256(sender's 20 bytes), without a
    /// prefix; v is 27 or 28. One deposit per miner, one owner until it is withdrawn.
    function deposit(bytes32 r, bytes32 s, uint8 v) external payable {
        uint256 least = minDepositAmount();
        if (msg.value < least) revert DepositTooSmall(least);
        address miner = ecrecover(keccak256(abi.encodePacked(msg.sender)), v, r, s);
        if (miner == address(0)) revert NoMinersSignature();
        if (miners[miner].amount != 0) revert AlreadyDeposited();
        if (IChiefBase(owners[0]).isLeader(miner)) revert MinerLeads();
        miners[miner] = Miner({owner: msg.sender, amount: msg.value, stopBlock: 0});
        addNormal(miner);
        emit Deposit(miner, msg.sender, msg.value);
    }

    function stop(address miner) external onlyMinersOwner(miner) {
        if (moveToStopped(miner) != DONE) revert AlreadyStopped();
    }

    function start(address miner) external onlyMinersOwner(miner) {
        if (miners[miner].stopBlock == 0) revert NotStopped();
        if (blackAndLockStatus(miner) != 0) revert BlackListed();
        miners[miner].stopBlock = 0;
        stopList.remove(stopPlaces, miner);
        addNormal(miner);
        emit Start(miner);
    }

    /// More than `withdrawWaitNumber` blocks after it was stopped.
    function withdraw(address miner) external onlyMinersOwner(miner) {
        Miner memory leaving = miners[miner];
        if (leaving.stopBlock == 0) revert NotStopped();
        if (block.number - leaving.stopBlock <= withdrawWaitNumber) revert TooEarly(leaving.stopBlock + withdrawWaitNumber + 1);
        if (blackAndLockStatus(miner) != 0) revert BlackListed();
        delete miners[miner];
        stopList.remove(stopPlaces, miner);
        emit Withdraw(miner, msg.sender, leaving.amount);
        pay(leaving.amount);
    }

    /// What the deposit is above the least one of today. The miner goes on.
    function withdrawSurplus(address miner) external onlyMinersOwner(miner) {
        uint256 least = minDepositAmount();
        uint256 amount = miners[miner].amount;
        if (amount <= least) revert NoSurplus();
        miners[miner].amount = least;
        emit Withdraw(miner, msg.sender, amount - least);
        pay(amount - least);
    }

    // ---- ChiefBase, for the chief ----------------------------------------------------------------

    /// 1: stopped now. 0: it was stopped already. -1: it has no deposit.
    function ownerStop(address miner) external onlyContractOwner returns (int8) {
        return moveToStopped(miner);
    }

    function ownerPushBlackList(address miner) external onlyContractOwner {
        if (!blackList.contains(blackPlaces, miner)) blackList.add(blackPlaces, miner);
    }

    /// At most one miner a block is pushed, and this runs once an epoch: the loop is bounded by it.
    function ownerEmptyBlackList() external onlyContractOwner {
        blackList.clear(blackPlaces);
    }

    // ---- Anybody ---------------------------------------------------------------------------------

    /// Wei. Halves every `depositHalveLimitNumber` blocks, three times in all.
    function minDepositAmount() public view returns (uint256) {
        uint256 halvings = (block.number - initBlockNumber) / depositHalveLimitNumber;
        return initMinDeposit >> (halvings > MAX_HALVINGS ? MAX_HALVINGS : halvings);
    }

    /// 1 on the black list, 2 on the lock list, 3 on both.
    function blackAndLockStatus(address miner) public view returns (int8 status) {
        if (blackList.contains(blackPlaces, miner)) status = 1;
        if (lockList.contains(lockPlaces, miner)) status += 2;
    }

    /// amount 0: no deposit. stopBlock 0: not stopped.
    function minerStatus(address miner) external view returns (uint256 amount, uint256 stopBlock, address owner) {
        Miner memory asked = miners[miner];
        return (asked.amount, asked.stopBlock, asked.owner);
    }

    function getNormalList() external view returns (address[] memory) {
        return normalList;
    }

    function getStopList() external view returns (address[] memory) {
        return stopList;
    }

    function getBlackList() external view returns (address[] memory) {
        return blackList;
    }

    function getLockList() external view returns (address[] memory) {
        return lockList;
    }

    function getOwnerList() external view returns (address[] memory) {
        return owners;
    }

    /// The stopped ones first, then the normal ones; black: 1 on the black list, else 0.
    function getAll()
        external
        view
        returns (
            address[] memory miner,
            uint256[] memory amount,
            uint256[] memory stopBlock,
            address[] memory owner,
            uint256[] memory black
        )
    {
        uint256 stopped = stopList.length;
        uint256 length = stopped + normalList.length;
        miner = new address[](length);
        amount = new uint256[](length);
        stopBlock = new uint256[](length);
        owner = new address[](length);
        black = new uint256[](length);
        for (uint256 i = 0; i < length; i++) {
            miner[i] = i < stopped ? stopList[i] : normalList[i - stopped];
            Miner memory one = miners[miner[i]];
            (amount[i], stopBlock[i], owner[i]) = (one.amount, one.stopBlock, one.owner);
            black[i] = blackList.contains(blackPlaces, miner[i]) ? 1 : 0;
        }
    }

    // ---- Inside ----------------------------------------------------------------------------------

    function addNormal(address miner) private {
        if (normalList.length >= MAX_MINERS) revert TooManyMiners();
        normalList.add(normalPlaces, miner);
    }

    function moveToStopped(address miner) private returns (int8) {
        if (miners[miner].amount == 0) return UNKNOWN;
        if (miners[miner].stopBlock != 0) return UNCHANGED;
        miners[miner].stopBlock = block.number;
        normalList.remove(normalPlaces, miner);
        stopList.add(stopPlaces, miner);
        emit Stop(miner);
        return DONE;
    }

    /// All state is written before: a receiver that calls back finds nothing left to take.
    function pay(uint256 amount) private {
        (bool isPaid,) = msg.sender.call{value: amount}("");
        if (!isPaid) revert PaymentFailed();
    }
}
