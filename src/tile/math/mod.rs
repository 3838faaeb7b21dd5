//! Accurate elementary functions.
