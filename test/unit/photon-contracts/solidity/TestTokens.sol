// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Tokens for tests, with the manners that tokens have been seen to have. Anybody can make any amount.
abstract contract TestToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    error Short();

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function approveInside(address spender, uint256 value) internal {
        allowance[msg.sender][spender] = value;
    }

    function move(address from, address to, uint256 value) internal virtual {
        if (balanceOf[from] < value) revert Short();
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }

    function moveAllowed(address from, address to, uint256 value) internal {
        if (allowance[from][msg.sender] < value) revert Short();
        allowance[from][msg.sender] -= value;
        move(from, to, value);
    }
}

abstract contract ReturningToken is TestToken {
    function approve(address spender, uint256 value) external returns (bool) {
        approveInside(spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external virtual returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external virtual returns (bool) {
        moveAllowed(from, to, value);
        return true;
    }
}

contract PlainToken is ReturningToken {}

/// Returns nothing at all.
contract SilentToken is TestToken {
    function approve(address spender, uint256 value) external {
        approveInside(spender, value);
    }

    function transfer(address to, uint256 value) external {
        move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        moveAllowed(from, to, value);
    }
}

/// Keeps a hundredth of what is moved.
contract FeeToken is ReturningToken {
    function move(address from, address to, uint256 value) internal override {
        super.move(from, to, value);
        balanceOf[to] -= value / 100;
    }
}

/// Returns false; `moves` says whether it moves money all the same.
contract FalseToken is ReturningToken {
    bool public moves;
    bool public isHonest = true;

    function set(bool moves_, bool isHonest_) external {
        moves = moves_;
        isHonest = isHonest_;
    }

    function transfer(address to, uint256 value) external override returns (bool) {
        if (isHonest || moves) move(msg.sender, to, value);
        return isHonest;
    }

    function transferFrom(address from, address to, uint256 value) external override returns (bool) {
        if (isHonest || moves) moveAllowed(from, to, value);
        return isHonest;
    }
}

/// Says that it has moved what it has not moved.
contract LyingToken is ReturningToken {
    function transferFrom(address, address, uint256) external pure override returns (bool) {
        return true;
    }
}

/// Refuses one receiver.
contract RefusingToken is ReturningToken {
    address public refused;

    function refuse(address receiver) external {
        refused = receiver;
    }

    function move(address from, address to, uint256 value) internal override {
        if (to == refused) revert Short();
        super.move(from, to, value);
    }
}

/// Calls somebody in the middle of moving money, as tokens with hooks do. What the call came to is kept.
contract ReenteringToken is ReturningToken {
    address public target;
    bytes public data;
    bool public isDone;
    bytes public result;
    uint256 public calls;

    function arm(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
        calls = 0;
    }

    function move(address from, address to, uint256 value) internal override {
        super.move(from, to, value);
        if (target == address(0)) return;
        address victim = target;
        target = address(0);
        calls++;
        (isDone, result) = victim.call(data);
        target = victim;
    }

    /// Anything, as this contract: it can be a participant.
    function run(address to, bytes calldata call_) external {
        (bool isFine, bytes memory words) = to.call(call_);
        if (!isFine) {
            assembly {
                revert(add(words, 32), mload(words))
            }
        }
    }
}
