//! From controls and rows to findings.
