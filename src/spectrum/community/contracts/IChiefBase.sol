// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What Chief, and in one case POC, ask of ChiefBase.
interface IChiefBase {
    function takeLeaderList() external view returns (address[] memory);
    function takeSignerLimit() external view returns (uint256);
    function takeVolunteerLimit() external view returns (uint256);
    function takeEpoch() external view returns (uint256);
    function isLeader(address account) external view returns (bool);
    function pocAddStop(address miner) external returns (int8);
    function pocAddBlackList(address miner) external;
    function pocCleanBlackList() external;
    function pocGetBlackList() external view returns (address[] memory);
}
