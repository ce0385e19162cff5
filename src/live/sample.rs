//! One sample: readings by name, and a picture if there is one, each checked before anybody sees it.

use super::field::{FIELDS, Field, is_name};
use super::json;
use crate::error::{Error, FieldError};
use crate::picture;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Number;
use std::borrow::Cow;

/// Bytes of a reading that is a text.
const TEXT_BYTES: usize = 256;
/// Bytes of a picture.
pub const PICTURE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one sample as JSON: the largest picture in base64, with room for the readings.
pub const SAMPLE_BYTES: usize = 6 * 1024 * 1024;

/// Why a sample isn't taken: a whole sentence for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Cow<'static, str>);

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Invalid(vec![FieldError::new("sample", refused.0)])
    }
}

impl Refused {
    pub fn new(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self(sentence.into())
    }

    pub fn too_long() -> Self {
        Self::new("A sample has at most 6 MiB, and a picture 4 MiB.")
    }
}

/// A reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Always finite.
    Number(Number),
    Text(String),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A picture that is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub mime: &'static str,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub content: Vec<u8>,
}

/// A checked sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    pub fields: Fields,
    pub picture: Option<Picture>,
}

/// Readings by name, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Fields {
    pub(super) fn add(&mut self, name: &str, value: Value) -> Result<(), Refused> {
        if !is_name(name) {
            return Err(Refused::new(
                "A reading's name has at most 64 letters, digits and _ . - and begins with a letter.",
            ));
        }
        if self.0.iter().any(|(other, _)| other == name) {
            return Err(Refused::new(format!("The sample has the reading “{name}” twice.")));
        }
        if self.0.len() >= FIELDS {
            return Err(Refused::new("A sample has at most 64 readings."));
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }
}

/// A text that can be a reading.
pub(super) fn text(name: &str, text: &str) -> Result<Value, Refused> {
    if text.len() > TEXT_BYTES {
        return Err(Refused::new(format!("The reading “{name}” is a text of more than 256 bytes.")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refused::new(format!("The reading “{name}” has control characters.")));
    }
    Ok(Value::Text(text.to_owned()))
}

impl Sample {
    /// A sample as JSON: one object of readings, and `image` if there is a picture.
    ///
    /// # Errors
    /// `Refused` for what is no sample; nothing of it is kept then.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Refused> {
        let json::Raw { fields, image } = json::read(bytes)?;
        let picture = image.map(|image| decode(&image)).transpose()?;
        if fields.0.is_empty() && picture.is_none() {
            return Err(Refused::new("The sample is empty: it has no reading and no picture."));
        }
        Ok(Self { fields, picture })
    }

    /// A picture by itself, with readings as they stand in an address.
    ///
    /// # Errors
    /// `Refused`.
    pub fn from_picture(bytes: &[u8], readings: &[(String, String)]) -> Result<Self, Refused> {
        let mut fields = Fields::default();
        for (name, typed) in readings {
            let value = match typed.parse::<f64>() {
                Ok(number) => number_of(name, typed, number)?,
                Err(_) => text(name, typed)?,
            };
            fields.add(name, value)?;
        }
        Ok(Self { fields, picture: Some(Picture::read(bytes)?) })
    }

    /// Which readings are out of the range that was declared for them.
    ///
    /// # Errors
    /// `Refused` when a declared reading is no number.
    pub fn outside(&self, declared: &[Field]) -> Result<Vec<&str>, Refused> {
        let mut outside = Vec::new();
        for (name, value) in &self.fields.0 {
            let Some(field) = declared.iter().find(|field| field.name == *name) else { continue };
            match value {
                Value::Number(number) if number.as_f64().is_none_or(|reading| field.holds(reading)) => {}
                Value::Number(_) => outside.push(name.as_str()),
                Value::Text(_) if field.unit.is_empty() && field.min.is_none() && field.max.is_none() => {}
                Value::Text(_) => {
                    return Err(Refused::new(format!(
                        "The reading “{name}” is declared with a unit or a range, so it has to be a number."
                    )));
                }
            }
        }
        Ok(outside)
    }
}

/// As it was typed where that is a number of JSON too; 5 stays 5, not 5.0.
fn number_of(name: &str, typed: &str, number: f64) -> Result<Value, Refused> {
    let written = serde_json::from_str::<Number>(typed).ok().or_else(|| Number::from_f64(number));
    written
        .map(Value::Number)
        .ok_or_else(|| Refused::new(format!("The reading “{name}” is not a finite number.")))
}

fn decode(image: &str) -> Result<Picture, Refused> {
    let base64 = match image.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map(|(_, content)| content),
        None => Some(image),
    };
    let bytes = base64.and_then(|base64| data_encoding::BASE64.decode(base64.as_bytes()).ok());
    Picture::read(&bytes.ok_or_else(|| Refused::new("The image is not base64, nor a data URL of base64."))?)
}

impl Picture {
    /// Checks by its header that `bytes` are a picture that a browser shows.
    ///
    /// # Errors
    /// `Refused`.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > PICTURE_BYTES {
            return Err(Refused::too_long());
        }
        let looked = picture::look(bytes).map_err(|refused| Refused(refused.0))?;
        match looked {
            Some(seen) if seen.mime != "image/gif" => {
                Ok(Self { mime: seen.mime, width: seen.width, height: seen.height, content: seen.content })
            }
            _ => Err(Refused::new("The picture is neither a JPEG nor a PNG nor a WebP.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(json: &str) -> String {
        let refused = Sample::from_json(json.as_bytes()).unwrap_err().0.into_owned();
        assert!(refused.ends_with('.') && !refused.contains("line"), "{json}: {refused}");
        refused
    }

    #[test]
    fn readings_stay_what_they_were() {
        let sample = Sample::from_json(
            br#" {"beam_energy": 150.25, "n": 5, "note": "caf\u00e9", "big": 18446744073709551615} "#,
        )
        .unwrap();
        let written = serde_json::to_string(&sample.fields).unwrap();
        assert_eq!(written, r#"{"beam_energy":150.25,"n":5,"note":"café","big":18446744073709551615}"#);
    }

    #[test]
    fn what_is_no_sample_is_refused_with_its_reason() {
        for json in [
            "",
            "{",
            "[]",
            "5",
            "null",
            "{}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":1}x",
            "{\"a\":1,}",
            "\u{0}",
            "{'a':1}",
            "{\"a\" 1}",
        ] {
            refusal(json);
        }
        assert!(refusal(r#"{"a":1e999}"#).contains("finite"));
        for inside in ["{\"b\":1}", "[1]", "true", "null"] {
            assert!(refusal(&format!("{{\"a\":{inside}}}")).contains("“a” is neither"));
        }
        assert!(refusal(r#"{"a":1,"a":2}"#).contains("twice"));
        assert!(refusal(r#"{"9a":1}"#).contains("name"));
        assert!(refusal(&format!("{{\"{}\":1}}", "a".repeat(65))).contains("name"));
        assert!(refusal(&format!("{{\"a\":\"{}\"}}", "x".repeat(257))).contains("256"));
        assert!(refusal(r#"{"a":"\u0000"}"#).contains("control"));
        let many: Vec<String> = (0..65).map(|n| format!("\"f{n}\":{n}")).collect();
        assert!(refusal(&format!("{{{}}}", many.join(","))).contains("64 readings"));
        for image in ["5", "\"!!\"", "\"data:image/png,x\"", "\"aGVsbG8=\"", "\"/9j/4AAQ\"", "\"\""] {
            refusal(&format!("{{\"image\":{image}}}"));
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
        refusal(&deep);
    }

    #[test]
    fn a_declared_reading_is_a_number_in_its_range_or_is_marked() {
        let declared = [Field { name: "rate".into(), unit: "Hz".into(), min: Some(9.5), max: None }];
        let sample = |json: &str| Sample::from_json(json.as_bytes()).unwrap();
        assert!(sample(r#"{"rate":10}"#).outside(&declared).unwrap().is_empty());
        assert_eq!(sample(r#"{"other":1,"rate":9.4}"#).outside(&declared).unwrap(), ["rate"]);
        assert!(sample(r#"{"rate":"ten"}"#).outside(&declared).is_err());
    }

    #[test]
    fn the_readings_of_an_address_are_numbers_where_they_can_be() {
        let png = crate::live::tests::png(2, 3);
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let sample =
            Sample::from_picture(&png, &pairs(&[("e", "150.5"), ("n", "7"), ("who", "me")])).unwrap();
        assert_eq!(serde_json::to_string(&sample.fields).unwrap(), r#"{"e":150.5,"n":7,"who":"me"}"#);
        let picture = sample.picture.unwrap();
        assert_eq!((picture.mime, picture.width, picture.height), ("image/png", 2, 3));
        for wrong in [("e", "NaN"), ("e", "1e999"), ("e", "-inf"), ("9", "1")] {
            assert!(Sample::from_picture(&png, &pairs(&[wrong])).is_err(), "{wrong:?}");
        }
        assert!(Sample::from_picture(&png[..40], &[]).is_err());
        assert!(Sample::from_picture(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", &[]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Sample::from_json(&bytes);
            let _ = Picture::read(&bytes);
        }
    }
}
