"""What tests share: real servers, started privately and ended by their own process ids."""
