//! Telephone numbering plans.
