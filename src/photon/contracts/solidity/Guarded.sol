// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Everything that our money contracts refuse, refuses with one of these. The numbers are listed where they are used.
error Bad(uint8 code);

/// One call at a time. A token is a stranger's code: while it runs, nothing of ours can be entered.
abstract contract Guarded {
    uint8 internal constant BAD_REENTERED = 27;

    uint256 private constant IDLE = 1;
    uint256 private constant BUSY = 2;
    uint256 private guard = IDLE;

    /// For functions that call a token.
    modifier alone() {
        if (guard != IDLE) revert Bad(BAD_REENTERED);
        guard = BUSY;
        _;
        guard = IDLE;
    }

    /// For functions that call nobody, but must not run inside one that does.
    modifier notInside() {
        if (guard != IDLE) revert Bad(BAD_REENTERED);
        _;
    }
}
