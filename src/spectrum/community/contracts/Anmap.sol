// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Binds a miner's key to the wallet that gets its earnings: sealers put `bindInfo(miner).from` into
/// their blocks as coinbase. One wallet per miner, any number of miners per wallet.
///
/// The miner agrees by signing keccak256(wallet's 20 bytes), without a prefix; v is 27 or 28. That
/// signature holds no number and no date, so it can be shown again: here a wallet that another one has
/// replaced can never use the miner's old signature again. (In the original it could end the new
/// binding at any time, and take the earnings back.)
///
/// ABI and storage layout (slots 0 and 1) are those of Spectrum's Anmap.
contract Anmap {
    mapping(address => address[]) private minersOf;
    mapping(address => address) private walletOf;

    // Ours, behind the original's.
    mapping(address => mapping(address => bool)) private isReplaced;

    event Bound(address indexed miner, address indexed wallet);
    event Unbound(address indexed miner, address indexed wallet);

    error NoMinersSignature();
    error AlreadyBound();
    error NotBound();
    error Replaced();

    /// The sender is the wallet.
    function bind(address miner, uint8 v, bytes32 r, bytes32 s) external {
        checkSignature(miner, v, r, s);
        if (walletOf[miner] != address(0)) revert AlreadyBound();
        walletOf[miner] = msg.sender;
        minersOf[msg.sender].push(miner);
        emit Bound(miner, msg.sender);
    }

    /// By the bound wallet, or by another one that the miner has signed for: that one then replaces it.
    function unbindBySig(address miner, uint8 v, bytes32 r, bytes32 s) external {
        checkSignature(miner, v, r, s);
        address wallet = walletOf[miner];
        if (wallet == address(0)) revert NotBound();
        if (wallet != msg.sender) isReplaced[miner][wallet] = true;
        delete walletOf[miner];
        removeMiner(minersOf[wallet], miner);
        emit Unbound(miner, wallet);
    }

    /// For a bound miner: its wallet, and the miner itself. For any other address: that address, and the
    /// miners bound to it.
    function bindInfo(address account) external view returns (address from, address[] memory nids) {
        from = walletOf[account];
        if (from == address(0)) return (account, minersOf[account]);
        nids = new address[](1);
        nids[0] = account;
    }

    function checkSignature(address miner, uint8 v, bytes32 r, bytes32 s) private view {
        address signer = ecrecover(keccak256(abi.encodePacked(msg.sender)), v, r, s);
        if (signer == address(0) || signer != miner) revert NoMinersSignature();
        if (isReplaced[miner][msg.sender]) revert Replaced();
    }

    /// The others keep their order.
    function removeMiner(address[] storage list, address miner) private {
        uint256 place = 0;
        while (list[place] != miner) place++;
        for (; place < list.length - 1; place++) {
            list[place] = list[place + 1];
        }
        list.pop();
    }
}
