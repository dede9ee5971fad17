//! Tests of the sizes.
