// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

// A stand-in for the original channel contract: its calls, events, signed bytes, storage order and rules as
// specs/photon.md 1.2 to 1.8 tell them, its known weaknesses included, so that our node can be tried against them. Test only.

interface Token {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

contract LegacySecrets {
    mapping(bytes32 => uint256) public secrethash_to_block;

    event SecretRevealed(bytes32 indexed secret);

    function registerSecret(bytes32 secret) external returns (bool) {
        bytes32 secretHash = sha256(abi.encodePacked(secret));
        require(secret != 0 && secrethash_to_block[secretHash] == 0);
        secrethash_to_block[secretHash] = block.number;
        emit SecretRevealed(secret);
        return true;
    }
}

contract LegacyNetwork {
    LegacySecrets public secret_registry;
    uint256 public chain_id;
    mapping(bytes32 => Channel) public channels;

    uint64 public constant punish_block_number = 257;

    struct Side {
        uint256 deposit;
        bytes24 balanceHash;
        uint64 nonce;
        mapping(bytes32 => bool) unlocked;
    }

    struct Channel {
        uint64 settleTimeout;
        uint64 settleBlock;
        uint64 openBlock;
        uint8 state;
        mapping(address => Side) sides;
    }

    event ChannelOpenedAndDeposit(address indexed token, address participant, address partner, uint64 settle_timeout, uint256 participant1_deposit);
    event ChannelNewDeposit(bytes32 indexed channel_identifier, address participant, uint256 total_deposit);
    event ChannelClosed(bytes32 indexed channel_identifier, address closing_participant, bytes32 locksroot, uint256 transferred_amount);
    event ChannelUnlocked(bytes32 indexed channel_identifier, address payer_participant, bytes32 lockhash, uint256 transferred_amount);
    event BalanceProofUpdated(bytes32 indexed channel_identifier, address participant, bytes32 locksroot, uint256 transferred_amount);
    event ChannelPunished(bytes32 indexed channel_identifier, address beneficiary);
    event ChannelSettled(bytes32 indexed channel_identifier, uint256 participant1_amount, uint256 participant2_amount);
    event ChannelCooperativeSettled(bytes32 indexed channel_identifier, uint256 participant1_amount, uint256 participant2_amount);
    event ChannelWithdraw(bytes32 indexed channel_identifier, address participant1, uint256 participant1_balance, address participant2, uint256 participant2_balance);

    constructor(uint256 chainId) {
        require(chainId > 0);
        secret_registry = new LegacySecrets();
        chain_id = chainId;
    }

    function idOf(address token, address a, address b) internal view returns (bytes32) {
        (address low, address high) = a < b ? (a, b) : (b, a);
        return keccak256(abi.encodePacked(low, high, token, address(this)));
    }

    // Anybody, for anybody; a channel that is there is joined whatever its timeout is (F5).
    function deposit(address token, address participant, address partner, uint256 amount, uint64 settle_timeout) external {
        require(amount > 0);
        bytes32 id = idOf(token, participant, partner);
        Channel storage channel = channels[id];
        Side storage side = channel.sides[participant];
        if (channel.state == 1) {
            side.deposit += amount;
            emit ChannelNewDeposit(id, participant, side.deposit);
        } else {
            require(channel.state == 0 && participant != address(0) && partner != address(0) && participant != partner);
            require(settle_timeout >= 6 && settle_timeout <= 2700000);
            channel.settleTimeout = settle_timeout;
            channel.openBlock = uint64(block.number);
            channel.state = 1;
            side.deposit = amount;
            emit ChannelOpenedAndDeposit(token, participant, partner, settle_timeout, amount);
        }
        require(Token(token).transferFrom(msg.sender, address(this), amount));
    }

    struct Proof {
        uint256 transferred;
        bytes32 locksroot;
        uint64 nonce;
        bytes32 extra;
    }

    function prepareSettle(address token, address partner, uint256 transferred_amount, bytes32 locksroot, uint64 nonce, bytes32 additional_hash, bytes calldata signature) external {
        bytes32 id = idOf(token, msg.sender, partner);
        Channel storage channel = channels[id];
        require(channel.state == 1);
        channel.state = 2;
        channel.settleBlock = channel.settleTimeout + uint64(block.number);
        if (nonce > 0) post(id, partner, Proof(transferred_amount, locksroot, nonce, additional_hash), signature);
        emit ChannelClosed(id, msg.sender, locksroot, transferred_amount);
    }

    function updateBalanceProof(address token, address partner, uint256 transferred_amount, bytes32 locksroot, uint64 nonce, bytes32 additional_hash, bytes calldata partner_signature) external {
        bytes32 id = idOf(token, partner, msg.sender);
        Channel storage channel = channels[id];
        require(channel.state == 2 && channel.settleBlock >= block.number && nonce > channel.sides[partner].nonce);
        post(id, partner, Proof(transferred_amount, locksroot, nonce, additional_hash), partner_signature);
        emit BalanceProofUpdated(id, partner, locksroot, transferred_amount);
    }

    function updateBalanceProofDelegate(address token, address partner, address participant, uint256 transferred_amount, bytes32 locksroot, uint64 nonce, bytes32 additional_hash, bytes calldata partner_signature, bytes calldata participant_signature) external {
        bytes32 id = idOf(token, partner, participant);
        Proof memory proof = Proof(transferred_amount, locksroot, nonce, additional_hash);
        delegated(id, partner, participant, proof, participant_signature);
        post(id, partner, proof, partner_signature);
        emit BalanceProofUpdated(id, partner, locksroot, transferred_amount);
    }

    // By whoever has the receiver's signature, in the second half of the settle time.
    function delegated(bytes32 id, address partner, address participant, Proof memory proof, bytes calldata signature) internal view {
        Channel storage channel = channels[id];
        require(channel.state == 2 && channel.settleBlock >= block.number && channel.settleBlock - channel.settleTimeout / 2 <= block.number);
        require(proof.nonce > channel.sides[partner].nonce);
        require(signer(abi.encodePacked("144", proof.transferred, proof.locksroot, proof.nonce, id, channel.openBlock, chain_id), signature) == participant);
    }

    function post(bytes32 id, address payer, Proof memory proof, bytes calldata signature) internal {
        Channel storage channel = channels[id];
        bytes memory tail = abi.encodePacked(id, channel.openBlock, chain_id);
        require(signer(abi.encodePacked("176", proof.transferred, proof.locksroot, proof.nonce, proof.extra, tail), signature) == payer);
        Side storage side = channel.sides[payer];
        side.balanceHash = hashOf(proof.transferred, proof.locksroot);
        side.nonce = proof.nonce;
    }

    function unlock(address token, address partner, uint256 transferred_amount, uint256 expiration, uint256 amount, bytes32 secret_hash, bytes calldata merkle_proof) external {
        bytes32 id = idOf(token, partner, msg.sender);
        Channel storage channel = channels[id];
        require(channel.state == 2 && channel.settleBlock >= block.number);
        uint256 revealed = secret_registry.secrethash_to_block(secret_hash);
        require(revealed > 0 && revealed <= expiration);
        bytes32 lockHash = keccak256(abi.encodePacked(expiration, amount, secret_hash));
        bytes32 root = rootOf(lockHash, merkle_proof);
        Side storage side = channel.sides[partner];
        require(side.balanceHash == hashOf(transferred_amount, root));
        bytes32 key = keccak256(abi.encodePacked(side.nonce, lockHash));
        require(!side.unlocked[key]);
        side.unlocked[key] = true;
        side.balanceHash = hashOf(transferred_amount + amount, root);
        emit ChannelUnlocked(id, partner, lockHash, transferred_amount + amount);
    }

    function punishObsoleteUnlock(address token, address beneficiary, address cheater, bytes32 lockhash, bytes32 additional_hash, bytes calldata cheater_signature) external {
        bytes32 id = idOf(token, beneficiary, cheater);
        Channel storage channel = channels[id];
        Side storage side = channel.sides[beneficiary];
        require(channel.state == 2 && side.balanceHash != 0);
        require(signer(abi.encodePacked("136", lockhash, id, channel.openBlock, chain_id, additional_hash), cheater_signature) == cheater);
        bytes32 key = keccak256(abi.encodePacked(side.nonce, lockhash));
        require(side.unlocked[key]);
        side.unlocked[key] = false;
        side.balanceHash = 0;
        side.nonce = type(uint64).max;
        side.deposit += channel.sides[cheater].deposit;
        channel.sides[cheater].deposit = 0;
        emit ChannelPunished(id, beneficiary);
    }

    function settle(address token, address p1, uint256 transferred1, bytes32 root1, address p2, uint256 transferred2, bytes32 root2) external {
        bytes32 id = idOf(token, p1, p2);
        Channel storage channel = channels[id];
        require(channel.state == 2 && channel.settleBlock + punish_block_number < block.number);
        (Side storage one, Side storage two) = (channel.sides[p1], channel.sides[p2]);
        require(one.balanceHash == hashOf(transferred1, root1) && two.balanceHash == hashOf(transferred2, root2));
        uint256 total = one.deposit + two.deposit;
        uint256 plus = one.deposit + transferred2;
        uint256 first = plus > transferred1 ? plus - transferred1 : 0;
        if (first > total) first = total;
        end(token, id, p1, first, p2, total - first);
        emit ChannelSettled(id, first, total - first);
    }

    // The same length in front as a balance proof, and the same bytes behind (F1).
    function cooperativeSettle(address token, address p1, uint256 balance1, address p2, uint256 balance2, bytes calldata signature1, bytes calldata signature2) external {
        bytes32 id = idOf(token, p1, p2);
        Channel storage channel = channels[id];
        require(channel.state == 1 && balance1 + balance2 == channel.sides[p1].deposit + channel.sides[p2].deposit);
        bytes memory said = abi.encodePacked("176", p1, balance1, p2, balance2, id, channel.openBlock, chain_id);
        require(signer(said, signature1) == p1 && signer(said, signature2) == p2);
        end(token, id, p1, balance1, p2, balance2);
        emit ChannelCooperativeSettled(id, balance1, balance2);
    }

    function withDraw(address token, address participant, address partner, uint256 balance, uint256 amount, bytes calldata signature1, bytes calldata signature2) external {
        bytes32 id = idOf(token, participant, partner);
        Channel storage channel = channels[id];
        require(channel.state == 1);
        bytes memory said = abi.encodePacked("156", participant, balance, amount, id, channel.openBlock, chain_id);
        require(signer(said, signature1) == participant && signer(said, signature2) == partner);
        uint256 total = channel.sides[participant].deposit + channel.sides[partner].deposit;
        require(amount > 0 && amount <= balance && balance <= total);
        channel.sides[participant].deposit = balance - amount;
        channel.sides[partner].deposit = total - balance;
        channel.openBlock = uint64(block.number);
        require(Token(token).transfer(participant, amount));
        emit ChannelWithdraw(id, participant, balance - amount, partner, total - balance);
    }

    function end(address token, bytes32 id, address p1, uint256 amount1, address p2, uint256 amount2) internal {
        Channel storage channel = channels[id];
        clear(channel.sides[p1]);
        clear(channel.sides[p2]);
        (channel.settleTimeout, channel.settleBlock, channel.openBlock, channel.state) = (0, 0, 0, 0);
        if (amount1 > 0) require(Token(token).transfer(p1, amount1));
        if (amount2 > 0) require(Token(token).transfer(p2, amount2));
    }

    function clear(Side storage side) internal {
        (side.deposit, side.balanceHash, side.nonce) = (0, 0, 0);
    }

    function hashOf(uint256 transferred, bytes32 locksroot) internal pure returns (bytes24) {
        if (transferred == 0 && locksroot == 0) return 0;
        return bytes24(keccak256(abi.encodePacked(locksroot, transferred)));
    }

    function rootOf(bytes32 leaf, bytes calldata proof) internal pure returns (bytes32 root) {
        require(proof.length % 32 == 0);
        root = leaf;
        for (uint256 at = 0; at < proof.length; at += 32) {
            bytes32 sibling = bytes32(proof[at:at + 32]);
            root = root < sibling ? keccak256(abi.encodePacked(root, sibling)) : keccak256(abi.encodePacked(sibling, root));
        }
    }

    function signer(bytes memory said, bytes calldata signature) internal pure returns (address who) {
        require(signature.length == 65);
        uint8 v = uint8(signature[64]);
        who = ecrecover(keccak256(abi.encodePacked("\x19Spectrum Signed Message:\n", said)), v < 27 ? v + 27 : v, bytes32(signature[0:32]), bytes32(signature[32:64]));
        require(who != address(0));
    }
}
