// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What ChiefBase asks of POC.
interface IPoc {
    function ownerStop(address miner) external returns (int8);
    function ownerPushBlackList(address miner) external;
    function ownerEmptyBlackList() external;
    function minerStatus(address miner) external view returns (uint256 amount, uint256 stopBlock, address owner);
    function getBlackList() external view returns (address[] memory);
}
