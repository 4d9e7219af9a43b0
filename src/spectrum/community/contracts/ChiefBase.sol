// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChiefBase} from "./IChiefBase.sol";
import {IPoc} from "./IPoc.sol";

/// Who leads the chain, and the sizes of its rounds. The owner adds and removes leaders; nothing else
/// of it ever changes. It stands between Chief and POC: Chief asks, POC obeys nobody else.
///
/// ABI and storage layout (slots 0 to 9) are those of Spectrum's ChiefBase 1.0.0. Stricter than that one:
///  - chief and POC are given at creation; there is no `init` that somebody else could call first;
///  - the owner cannot hand POC to another contract, lock a miner's deposit or move its least deposit;
///  - a leader has no deposit in POC (why: Poc.sol);
///  - a leader is never the zero address; adding one too many, or one twice, and removing one that is
///    none fail instead of doing nothing;
///  - a new owner has to take the office itself: a mistyped address leaves the old one in it.
contract ChiefBase is IChiefBase {
    uint256 private constant MAX_LEADERS = 5;

    // Slots 0 to 9, in this order. Light nodes read slots 4, 6, 7 and 8.
    string public vsn = "1.0.0";
    IPoc private poc;
    address public _owner;
    address public _tribe;
    address[] public leaderList;
    uint256 public leaderLimit;
    uint256 public signerLimit;
    uint256 public epoch;
    uint256 public volunteerLimit;
    /// Always 0 here.
    uint256 public pocUpdatedInitBlockNumber;

    // Ours, behind the original's.
    address public pendingOwner;

    event LeaderAdded(address indexed leader);
    event LeaderRemoved(address indexed leader);
    event OwnerProposed(address indexed owner);
    event OwnerChanged(address indexed owner);

    error NotOwner();
    error NotPendingOwner();
    error NotChief();
    error BadSetting();
    error BadLeader();
    error TooManyLeaders();
    error AlreadyLeader();
    error LeaderHasDeposit();
    error NotLeader();
    error LastLeader();

    modifier onlyOwner() {
        if (msg.sender != _owner) revert NotOwner();
        _;
    }

    modifier onlyChief() {
        if (msg.sender != _tribe) revert NotChief();
        _;
    }

    /// signers: blocks in a round, at least 1. epochBlocks: blocks until missed slots are forgiven, at
    /// least 1. leaders: 1 to 5, all different; the first leads the first round. None of them can have a
    /// deposit yet: POC takes none before this contract is there to be asked.
    constructor(
        address owner,
        address chief,
        address pocContract,
        uint256 epochBlocks,
        uint256 signers,
        address[] memory leaders
    ) {
        if (owner == address(0) || chief == address(0) || pocContract == address(0)) revert BadSetting();
        if (epochBlocks == 0 || signers == 0 || leaders.length == 0) revert BadSetting();
        poc = IPoc(pocContract);
        _owner = owner;
        _tribe = chief;
        leaderLimit = MAX_LEADERS;
        signerLimit = signers;
        epoch = epochBlocks;
        volunteerLimit = signers - 1;
        for (uint256 i = 0; i < leaders.length; i++) {
            addLeader(leaders[i]);
        }
    }

    // ---- Owner -----------------------------------------------------------------------------------

    /// Behind the others. In force from the next block on.
    function appendLeader(address leader) external onlyOwner {
        (uint256 amount,,) = poc.minerStatus(leader);
        if (amount != 0) revert LeaderHasDeposit();
        addLeader(leader);
    }

    /// The others keep their order. The last one stays: without a leader the chain would stand still.
    function removeLeader(address leader) external onlyOwner {
        uint256 last = leaderList.length - 1;
        uint256 place = placeOf(leader);
        if (place > last) revert NotLeader();
        if (last == 0) revert LastLeader();
        for (uint256 i = place; i < last; i++) {
            leaderList[i] = leaderList[i + 1];
        }
        leaderList.pop();
        emit LeaderRemoved(leader);
    }

    /// Proposes; the proposed one then calls `acceptOwner`. The zero address takes a proposal back.
    function setOwner(address proposed) external onlyOwner {
        pendingOwner = proposed;
        emit OwnerProposed(proposed);
    }

    function acceptOwner() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner();
        _owner = msg.sender;
        pendingOwner = address(0);
        emit OwnerChanged(msg.sender);
    }

    // ---- Chief -----------------------------------------------------------------------------------

    function pocAddStop(address miner) external onlyChief returns (int8) {
        return poc.ownerStop(miner);
    }

    function pocAddBlackList(address miner) external onlyChief {
        poc.ownerPushBlackList(miner);
    }

    function pocCleanBlackList() external onlyChief {
        poc.ownerEmptyBlackList();
    }

    // ---- Anybody ---------------------------------------------------------------------------------

    function pocGetBlackList() external view returns (address[] memory) {
        return poc.getBlackList();
    }

    function isLeader(address account) external view returns (bool) {
        return placeOf(account) < leaderList.length;
    }

    function takeLeaderList() external view returns (address[] memory) {
        return leaderList;
    }

    function takeLeaderLimit() external view returns (uint256) {
        return leaderLimit;
    }

    function takeSignerLimit() external view returns (uint256) {
        return signerLimit;
    }

    function takeEpoch() external view returns (uint256) {
        return epoch;
    }

    function takeVolunteerLimit() external view returns (uint256) {
        return volunteerLimit;
    }

    function takeOwner() external view returns (address) {
        return _owner;
    }

    // ---- Inside ----------------------------------------------------------------------------------

    function addLeader(address leader) private {
        if (leader == address(0)) revert BadLeader();
        if (leaderList.length >= leaderLimit) revert TooManyLeaders();
        if (placeOf(leader) < leaderList.length) revert AlreadyLeader();
        leaderList.push(leader);
        emit LeaderAdded(leader);
    }

    /// The number of leaders where it is none of them.
    function placeOf(address account) private view returns (uint256 place) {
        while (place < leaderList.length && leaderList[place] != account) place++;
    }
}
