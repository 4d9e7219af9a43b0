// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bad} from "./Guarded.sol";

/// EIP-712: who signed a typed struct for one contract on one chain.
library Signed {
    uint8 private constant BAD_LENGTH = 1;
    uint8 private constant BAD_HIGH_S = 2;
    uint8 private constant BAD_SIGNATURE = 3;

    bytes32 private constant DOMAIN_TYPE =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    /// Half the curve's order. A higher s has a lower twin that says the same.
    uint256 private constant MAX_S = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    function domain(string memory name, string memory version, uint256 chainId) internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPE, keccak256(bytes(name)), keccak256(bytes(version)), chainId, address(this))
        );
    }

    function digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domainSeparator, structHash));
    }

    /// signature: r 32, s 32, v 1 (27 or 28). Never the zero address.
    function signer(bytes32 domainSeparator, bytes32 structHash, bytes calldata signature)
        internal
        pure
        returns (address found)
    {
        if (signature.length != 65) revert Bad(BAD_LENGTH);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > MAX_S) revert Bad(BAD_HIGH_S);
        found = ecrecover(digest(domainSeparator, structHash), uint8(signature[64]), bytes32(signature[0:32]), s);
        if (found == address(0)) revert Bad(BAD_SIGNATURE);
    }
}
