//! The Trust Mark: a statement that anyone can verify offline, and its withdrawal.
