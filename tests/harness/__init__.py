"""What tests stand on: a realm in a store of its own, a clock that stands still, a server in this process."""
