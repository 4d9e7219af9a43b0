// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Erc20} from "./Erc20.sol";

/// The chain's own coin as a token, one for one, for contracts that know only tokens. ABI of WETH9.
/// Other than that one: the supply is counted, not read from the contract's balance (which anybody can
/// raise, as a block's coinbase for instance); minting and burning show as transfers; a token sent to
/// this contract is refused, not lost; calls of functions that do not exist fail, they do not wrap.
contract WrappedSmt is Erc20 {
    event Deposit(address indexed to, uint256 value);
    event Withdrawal(address indexed from, uint256 value);

    error PaymentFailed();

    constructor() Erc20("Wrapped SMT", "WSMT", 18) {}

    receive() external payable {
        deposit();
    }

    function deposit() public payable {
        mint(msg.sender, msg.value);
        emit Deposit(msg.sender, msg.value);
    }

    /// The token is burnt before the coin leaves: a receiver that calls back has nothing more to burn.
    function withdraw(uint256 value) external {
        burn(msg.sender, value);
        emit Withdrawal(msg.sender, value);
        (bool isPaid,) = msg.sender.call{value: value}("");
        if (!isPaid) revert PaymentFailed();
    }
}
