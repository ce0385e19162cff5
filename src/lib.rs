//! Hubbub: a place of their own for a group of people, in one binary.
