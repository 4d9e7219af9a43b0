// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Erc20} from "./Erc20.sol";

/// A community's own token: all of it exists from the start, with one holder. Nobody can make more,
/// take it from anybody, or stop it.
contract CommunityToken is Erc20 {
    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply, address holder)
        Erc20(name_, symbol_, decimals_)
    {
        mint(holder, supply);
    }
}
