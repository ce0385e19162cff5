//! A sample as it is written in JSON, read without building what isn't one: nothing nested, no name twice.

use super::sample::{Fields, Refused, Value, text};
use serde::Deserialize as _;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use std::borrow::Cow;
use std::fmt;

/// Reads one object.
///
/// # Errors
/// `Refused`, with what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Raw<'_>, Refused> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = reader.deserialize_any(Whole).and_then(|raw| reader.end().map(|()| raw));
    read.map_err(|error| not_read(&error))
}

fn not_read(error: &serde_json::Error) -> Refused {
    let words = error.to_string();
    let what = words.split(" at line ").next().unwrap_or_default();
    if error.is_data() && what.ends_with('.') {
        return Refused::new(what.to_owned());
    }
    match what {
        "number out of range" => Refused::new("A reading is not a finite number."),
        _ => Refused::new(format!("The sample is not JSON: {what}.")),
    }
}

/// A sample as it stands in JSON.
pub struct Raw<'a> {
    pub fields: Fields,
    /// As it was sent.
    pub image: Option<Cow<'a, str>>,
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of readings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        let mut raw = Raw { fields: Fields::default(), image: None };
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == "image" {
                let image = map.next_value_seed(Image)?;
                if raw.image.replace(image).is_some() {
                    return Err(de::Error::custom("A sample has one image at most."));
                }
                continue;
            }
            let value = map.next_value_seed(Reading(&name))?;
            raw.fields.add(&name, value).map_err(|refused| de::Error::custom(refused.0))?;
        }
        Ok(raw)
    }
}

struct Image;

impl<'de> DeserializeSeed<'de> for Image {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Cow::deserialize(deserializer)
            .map_err(|_| de::Error::custom("The image is a text: base64, or a data URL."))
    }
}

/// A reading of this name.
struct Reading<'a>(&'a str);

impl Reading<'_> {
    fn neither<E: de::Error>(&self) -> E {
        let name = self.0;
        E::custom(format!("The reading “{name}” is neither a number nor a text."))
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| self.neither())
    }

    fn visit_str<E: de::Error>(self, written: &str) -> Result<Value, E> {
        text(self.0, written).map_err(|refused| E::custom(refused.0))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Value, E> {
        Err(self.neither())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Err(self.neither())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.neither())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.neither())
    }
}
