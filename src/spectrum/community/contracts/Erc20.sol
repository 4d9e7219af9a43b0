// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// ERC-20. An allowance of 2^256 - 1 is not counted down. Sending to the zero address or to the token
/// contract itself, where it would be lost, fails.
abstract contract Erc20 {
    uint256 private constant UNLIMITED = type(uint256).max;

    // Slots 0 to 5, in this order.
    string public name;
    string public symbol;
    uint8 public decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error BadReceiver();
    error InsufficientBalance(uint256 balance);
    error InsufficientAllowance(uint256 allowance);

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != UNLIMITED) {
            if (allowed < value) revert InsufficientAllowance(allowed);
            allowance[from][msg.sender] = allowed - value;
        }
        move(from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function mint(address to, uint256 value) internal {
        if (to == address(0)) revert BadReceiver();
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function burn(address from, uint256 value) internal {
        take(from, value);
        totalSupply -= value;
        emit Transfer(from, address(0), value);
    }

    function move(address from, address to, uint256 value) private {
        if (to == address(0) || to == address(this)) revert BadReceiver();
        take(from, value);
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function take(address from, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(balance);
        balanceOf[from] = balance - value;
    }
}
