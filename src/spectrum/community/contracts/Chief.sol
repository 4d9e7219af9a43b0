// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IChiefBase} from "./IChiefBase.sol";

/// Tribe's round: who may seal which of the next L blocks. The sealer of every block calls `update`
/// as the block's first transaction; nodes refuse a block without it, with two of it, or where it fails.
///
/// Block n has the place i = n mod L. With i > 0 it adds its volunteer to the next round, and strikes
/// out the signer of its place if somebody else sealed it. With i = L - 1 it ends the round: the next
/// leader, then the volunteers, then zeros up to L. With n mod epoch = 0 missed slots are forgiven.
///
/// ABI and storage layout are those of Spectrum's chief 1.0.0. `update` must not fail for anybody who
/// may seal: a failure would make the block invalid, and the chain stand still. So a volunteer too
/// many is left out, and where the round's leader is no leader any more, the first of all follows.
contract Chief {
    // Slots 0 to 5, in this order. Light nodes read slots 2 and 3.
    string private vsn = "1.0.0";
    IChiefBase private base;
    /// L places; the zero address where nobody is, or nobody any more. The first is a leader.
    address[] public _signerList;
    address[] public _nextRoundSignerList;
    /// The last block that was updated.
    uint256 public blockNumber;
    /// 1: has a place in this round and has not missed it.
    mapping(address => uint256) private signersMap;

    error NotSealer();
    error BadSetting();

    /// startBlock: the block before the first update.
    constructor(address chiefBase, uint256 startBlock) {
        if (chiefBase == address(0)) revert BadSetting();
        base = IChiefBase(chiefBase);
        blockNumber = startBlock;
        beginRound(base.takeLeaderList()[0], base.takeSignerLimit());
    }

    /// By the sealer of this block, whom the nodes have checked. volunteer: the miner that this block's
    /// VRF picks, which they have checked as well; zero where there is none.
    function update(address volunteer) external {
        if (signersMap[msg.sender] == 0 && !base.isLeader(msg.sender)) revert NotSealer();
        blockNumber = block.number;
        uint256 limit = base.takeSignerLimit();
        uint256 place = block.number % limit;
        if (place > 0) {
            if (volunteer != address(0) && _nextRoundSignerList.length < base.takeVolunteerLimit()) {
                _nextRoundSignerList.push(volunteer);
            }
            strikeOut(place);
        }
        if (place == limit - 1) beginRound(leaderAfter(endRound()), limit);
        if (block.number % base.takeEpoch() == 0) base.pocCleanBlackList();
    }

    // ---- Anybody ---------------------------------------------------------------------------------

    /// scoreList: zeros. numberList: 1 for each signer that has not missed its slot. totalVolunteer:
    /// how many are in the next round so far. number: the last block.
    function getStatus()
        external
        view
        returns (
            address[] memory signerList,
            address[] memory blackList,
            uint256[] memory scoreList,
            uint256[] memory numberList,
            uint256 totalVolunteer,
            uint256 number
        )
    {
        signerList = _signerList;
        blackList = base.pocGetBlackList();
        scoreList = new uint256[](signerList.length);
        numberList = new uint256[](signerList.length);
        for (uint256 i = 0; i < signerList.length; i++) {
            numberList[i] = signersMap[signerList[i]];
        }
        totalVolunteer = _nextRoundSignerList.length;
        number = blockNumber;
    }

    /// weightList: zeros, kept for callers of older chiefs.
    function getVolunteers()
        external
        view
        returns (address[] memory volunteerList, uint256[] memory weightList, uint256 length)
    {
        volunteerList = _nextRoundSignerList;
        length = volunteerList.length;
        weightList = new uint256[](length);
    }

    function getNextRoundSignerList() external view returns (address[] memory nextRoundSignerList, uint256 length) {
        nextRoundSignerList = _nextRoundSignerList;
        length = nextRoundSignerList.length;
    }

    function getSignerLimit() external view returns (uint256) {
        return base.takeSignerLimit();
    }

    function getEpoch() external view returns (uint256) {
        return base.takeEpoch();
    }

    function getVolunteerLimit() external view returns (uint256) {
        return base.takeVolunteerLimit();
    }

    /// Without effect since chief 1.0.0: an empty list.
    function filterVolunteer(address[] calldata) external pure returns (uint256[] memory result) {
        return result;
    }

    function version() external view returns (string memory) {
        return vsn;
    }

    // ---- Inside ----------------------------------------------------------------------------------

    /// Takes the place from a signer that did not seal this block. If it is a miner that was not
    /// stopped yet, it is stopped, and kept out until the epoch ends.
    function strikeOut(uint256 place) private {
        address due = _signerList[place];
        if (due == address(0) || due == msg.sender) return;
        if (base.pocAddStop(due) > 0) base.pocAddBlackList(due);
        delete signersMap[due];
        _signerList[place] = address(0);
    }

    /// Empties the round; its leader.
    function endRound() private returns (address leader) {
        leader = _signerList[0];
        while (_signerList.length > 0) {
            delete signersMap[_signerList[_signerList.length - 1]];
            _signerList.pop();
        }
    }

    function leaderAfter(address leader) private view returns (address) {
        address[] memory leaders = base.takeLeaderList();
        for (uint256 i = 0; i < leaders.length; i++) {
            if (leaders[i] == leader) return leaders[(i + 1) % leaders.length];
        }
        return leaders[0];
    }

    /// Fills the empty round from the leader and the volunteers, whom it forgets.
    function beginRound(address leader, uint256 limit) private {
        take(leader);
        for (uint256 i = 0; i < _nextRoundSignerList.length; i++) {
            take(_nextRoundSignerList[i]);
        }
        delete _nextRoundSignerList;
        while (_signerList.length < limit) _signerList.push(address(0));
    }

    function take(address signer) private {
        _signerList.push(signer);
        signersMap[signer] = 1;
    }
}
