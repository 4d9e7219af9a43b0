// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bad, Guarded} from "./Guarded.sol";
import {Signed} from "./Signed.sol";
import {IErc20, Tokens} from "./Tokens.sol";

interface IChannels {
    function openFor(
        address token,
        address participant,
        address partner,
        uint128 amount,
        uint32 settleTimeout,
        uint64 epoch,
        uint64 validUntil,
        bytes calldata signature
    ) external;

    function deposit(
        address token,
        address participant,
        address partner,
        uint128 amount,
        uint32 settleTimeout,
        uint64 epoch
    ) external;
}

/// For people who have tokens and no coin for gas. Their tokens lie here, counted per owner; the owner signs what is
/// to happen with them (EIP-712), a box sends it, pays the gas, and takes the fee in tokens that the owner signed for.
///
/// Each order has the owner's next number and a last block, so it happens once or never. It names who may send it and
/// gets the fee; zero is whoever is first. All that the contract holds of a token is the sum of its balances: every
/// way in measures what came, and no function can be entered while a token runs. An order that cannot be carried out
/// fails as a whole and its number stays free.
///
/// An owner who has gas needs nobody: fund, withdraw, and cancel are plain calls.
contract Purse is Guarded {
    using Tokens for IErc20;

    struct Payment {
        address token;
        address from;
        address to;
        uint256 amount;
        /// To the receiver's balance here, not out to his account: then he needs no gas either.
        bool inside;
        uint256 fee;
        address sender;
        uint256 number;
        uint64 validUntil;
    }

    struct Opening {
        address token;
        address from;
        address partner;
        uint128 amount;
        uint32 settleTimeout;
        uint64 epoch;
        uint256 fee;
        address sender;
        uint256 number;
        uint64 validUntil;
    }

    uint8 private constant BAD_PARTIES = 5;
    uint8 private constant BAD_SIGNER = 10;
    uint8 private constant BAD_EXPIRED = 15;
    uint8 private constant BAD_BALANCE = 20;
    uint8 private constant BAD_NUMBER = 40;
    uint8 private constant BAD_SENDER = 41;

    bytes32 private constant PAYMENT = keccak256(
        "Payment(address token,address from,address to,uint256 amount,bool inside,uint256 fee,address sender,uint256 number,uint64 validUntil)"
    );
    bytes32 private constant OPENING = keccak256(
        "Opening(address token,address from,address partner,uint128 amount,uint32 settleTimeout,uint64 epoch,uint256 fee,address sender,uint256 number,uint64 validUntil)"
    );

    bytes32 public immutable domainSeparator;

    // Slot 0 is the guard. Slots 1 to 5, in this order: light nodes read them by proof.
    uint256 public chainId;
    IChannels public channels;
    /// token -> owner -> amount
    mapping(address => mapping(address => uint256)) public balanceOf;
    /// The number that the owner's next order must have.
    mapping(address => uint256) public nextNumber;
    /// owner -> number -> digest of the order that had it; zero: none yet, or cancelled. So who sent one and lost sight of
    /// it can tell by proof, as long as the chain lasts, whether it was this one.
    mapping(address => mapping(uint256 => bytes32)) public orderOf;

    event Funded(address indexed token, address indexed owner, address by, uint256 amount);
    event Paid(address indexed token, address indexed from, address indexed to, uint256 amount, bool inside);
    event OpenedFor(address indexed token, address indexed from, address indexed partner, uint256 amount);
    event FeeTaken(address indexed token, address indexed from, address indexed sender, uint256 fee);
    event Cancelled(address indexed owner, uint256 number);

    constructor(uint256 chainId_, IChannels channels_) {
        if (chainId_ == 0 || address(channels_).code.length == 0) revert Bad(BAD_PARTIES);
        chainId = chainId_;
        channels = channels_;
        domainSeparator = Signed.domain("Photon Purse", "1", chainId_);
    }

    // ---- plain calls

    /// The sender pays in for `owner`, from what he has allowed this contract.
    function fund(address token, address owner, uint256 amount) external alone {
        if (owner == address(0) || amount == 0 || token.code.length == 0) revert Bad(BAD_PARTIES);
        balanceOf[token][owner] += amount;
        emit Funded(token, owner, msg.sender, amount);
        IErc20(token).take(msg.sender, amount);
    }

    function withdraw(address token, address to, uint256 amount) external alone {
        if (to == address(0)) revert Bad(BAD_PARTIES);
        spend(token, msg.sender, amount);
        emit Paid(token, msg.sender, to, amount, false);
        IErc20(token).give(to, amount);
    }

    /// Makes the sender's signed order with this number, the next one, worthless.
    function cancel(uint256 number) external notInside {
        useNumber(msg.sender, number, 0);
        emit Cancelled(msg.sender, number);
    }

    // ---- signed orders

    function pay(Payment calldata p, bytes calldata signature) external alone {
        bytes32 hash = keccak256(
            abi.encode(PAYMENT, p.token, p.from, p.to, p.amount, p.inside, p.fee, p.sender, p.number, p.validUntil)
        );
        checkOrder(hash, p.from, p.sender, p.validUntil, signature);
        if (p.to == address(0)) revert Bad(BAD_PARTIES);
        useNumber(p.from, p.number, hash);
        takeFee(p.token, p.from, p.fee);
        spend(p.token, p.from, p.amount);
        emit Paid(p.token, p.from, p.to, p.amount, p.inside);
        if (p.inside) balanceOf[p.token][p.to] += p.amount;
        else IErc20(p.token).give(p.to, p.amount);
    }

    /// Opens a channel for the signer with his tokens, or puts them into the one that is open with just these terms.
    /// `consent`: to open, his signature under the channel contract's Open with the same terms and `validUntil`; to put
    /// in, nothing. Who sends it cannot choose: the channel is there or not, and the other way fails.
    function openChannel(Opening calldata o, bytes calldata signature, bytes calldata consent) external alone {
        bytes32 hash = hashOf(o);
        checkOrder(hash, o.from, o.sender, o.validUntil, signature);
        useNumber(o.from, o.number, hash);
        takeFee(o.token, o.from, o.fee);
        spend(o.token, o.from, o.amount);
        emit OpenedFor(o.token, o.from, o.partner, o.amount);
        IErc20(o.token).allow(address(channels), o.amount);
        if (consent.length == 0) {
            channels.deposit(o.token, o.from, o.partner, o.amount, o.settleTimeout, o.epoch);
        } else {
            channels.openFor(
                o.token, o.from, o.partner, o.amount, o.settleTimeout, o.epoch, o.validUntil, consent
            );
        }
    }

    function hashOf(Opening calldata o) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                OPENING,
                o.token,
                o.from,
                o.partner,
                o.amount,
                o.settleTimeout,
                o.epoch,
                o.fee,
                o.sender,
                o.number,
                o.validUntil
            )
        );
    }

    function checkOrder(bytes32 hash, address from, address sender, uint64 validUntil, bytes calldata signature)
        private
        view
    {
        if (block.number > validUntil) revert Bad(BAD_EXPIRED);
        if (sender != address(0) && sender != msg.sender) revert Bad(BAD_SENDER);
        if (Signed.signer(domainSeparator, hash, signature) != from) revert Bad(BAD_SIGNER);
    }

    /// `hash`: of the order's struct; zero: it is not used for any.
    function useNumber(address owner, uint256 number, bytes32 hash) private {
        if (number != nextNumber[owner]) revert Bad(BAD_NUMBER);
        nextNumber[owner] = number + 1;
        if (hash != 0) orderOf[owner][number] = Signed.digest(domainSeparator, hash);
    }

    function takeFee(address token, address from, uint256 fee) private {
        if (fee == 0) return;
        spend(token, from, fee);
        balanceOf[token][msg.sender] += fee;
        emit FeeTaken(token, from, msg.sender, fee);
    }

    function spend(address token, address owner, uint256 amount) private {
        uint256 balance = balanceOf[token][owner];
        if (amount > balance) revert Bad(BAD_BALANCE);
        balanceOf[token][owner] = balance - amount;
    }
}
