// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// An array of addresses together with the place of each in it, as two neighbouring variables:
/// `places[a]` is the index of `a`, and 0 also where `a` is not in the array. Light nodes read the
/// array by storage proof, and which miner a block picks depends on its order, so the order is part
/// of the chain's rules: adding puts at the end, removing moves the last into the gap.
library AddressList {
    function contains(address[] storage list, mapping(address => uint256) storage places, address member)
        internal
        view
        returns (bool)
    {
        uint256 place = places[member];
        return place < list.length && list[place] == member;
    }

    /// The caller has made sure that `member` is not in the list.
    function add(address[] storage list, mapping(address => uint256) storage places, address member) internal {
        places[member] = list.length;
        list.push(member);
    }

    /// The caller has made sure that `member` is in the list.
    function remove(address[] storage list, mapping(address => uint256) storage places, address member) internal {
        uint256 place = places[member];
        address last = list[list.length - 1];
        list[place] = last;
        places[last] = place;
        list.pop();
        delete places[member];
    }

    function clear(address[] storage list, mapping(address => uint256) storage places) internal {
        while (list.length > 0) {
            delete places[list[list.length - 1]];
            list.pop();
        }
    }
}
