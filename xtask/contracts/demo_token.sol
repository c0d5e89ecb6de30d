// SPDX-License-Identifier: Apache-2.0
// The token of the demonstration. `demo_token.hex` is this file under solc 0.8.37, optimised for one run, EVM `paris`,
// without metadata.
pragma solidity ^0.8.0;

contract Demo {
    string public constant name = "Demo Dollar";
    string public constant symbol = "DEMO";
    uint8 public constant decimals = 6;
    uint256 public constant totalSupply = 1_000_000e6;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor() {
        balanceOf[msg.sender] = totalSupply;
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}
