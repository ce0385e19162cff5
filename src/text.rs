//! How names are compared.

use unicode_normalization::UnicodeNormalization;

/// The form under which names are unique: NFKC, lower case.
pub fn fold(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}
