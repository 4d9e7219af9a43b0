// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Says in which block a secret became public. One registry for every hop of a payment, whichever contract the
/// hop's channel lies in: so all of them see the same block. A secret is registered once, for ever.
///
/// Selectors and event are those of the registry that the original Photon's contract creates.
contract SecretRegistry {
    /// sha256 of the secret -> block, or 0.
    mapping(bytes32 => uint256) public secrethash_to_block;

    event SecretRevealed(bytes32 indexed secret);

    error BadSecret();
    error AlreadyRegistered();

    function registerSecret(bytes32 secret) external {
        if (secret == 0) revert BadSecret();
        bytes32 secretHash = sha256(abi.encodePacked(secret));
        if (secrethash_to_block[secretHash] > 0) revert AlreadyRegistered();
        secrethash_to_block[secretHash] = block.number;
        emit SecretRevealed(secret);
    }

    function getSecretRevealBlockHeight(bytes32 secretHash) external view returns (uint256) {
        return secrethash_to_block[secretHash];
    }
}
