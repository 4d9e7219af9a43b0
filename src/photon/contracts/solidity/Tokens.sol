// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bad} from "./Guarded.sol";

interface IErc20 {
    function balanceOf(address owner) external view returns (uint256);
    function approve(address spender, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// Calls of ERC-20 tokens, also of those that return nothing. A token that returns false has failed.
library Tokens {
    uint8 private constant BAD_TOKEN = 4;
    uint8 private constant BAD_RECEIVED = 8;

    /// Takes `value` from `from`, who has allowed it to us. Fails where we get more or less than that
    /// (tokens that take a fee on the way, or that lie).
    function take(IErc20 token, address from, uint256 value) internal {
        uint256 before = token.balanceOf(address(this));
        invoke(token, abi.encodeWithSelector(token.transferFrom.selector, from, address(this), value));
        uint256 afterwards = token.balanceOf(address(this));
        if (afterwards < before || afterwards - before != value) revert Bad(BAD_RECEIVED);
    }

    function give(IErc20 token, address to, uint256 value) internal {
        if (value > 0) invoke(token, abi.encodeWithSelector(token.transfer.selector, to, value));
    }

    function allow(IErc20 token, address spender, uint256 value) internal {
        invoke(token, abi.encodeWithSelector(token.approve.selector, spender, value));
    }

    function invoke(IErc20 token, bytes memory data) private {
        (bool isDone, bytes memory result) = address(token).call(data);
        if (!isDone || (result.length > 0 && !isTrue(result))) revert Bad(BAD_TOKEN);
    }

    function isTrue(bytes memory result) private pure returns (bool) {
        return result.length >= 32 && abi.decode(result, (uint256)) == 1;
    }
}
