//! Pure decisions: from a report to a verdict, with reasons. No IO, no clock, no randomness.
