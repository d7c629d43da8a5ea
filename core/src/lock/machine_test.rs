//! The lock's transitions, one fact a test.
