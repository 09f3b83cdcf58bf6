//! Known weaknesses.
