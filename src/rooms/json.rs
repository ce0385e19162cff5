//! Parts of a message that are stored in the very form in which clients get them.

use diesel_derive_newtype::DieselNewType;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// JSON that is stored as text and goes out as it is.
#[derive(Clone, Debug, PartialEq, Eq, DieselNewType)]
pub struct Json(pub String);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        // Written by this program, so it can be read; a damaged row must not take a whole page with it.
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => serializer.serialize_none(),
        }
    }
}
