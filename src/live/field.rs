//! What the keeper of a stream declares of a reading: its name, its unit, and the range in which it belongs.

use crate::error::FieldError;
use serde::{Deserialize, Serialize};

/// Fields of one sample, and so declared ones.
pub const FIELDS: usize = 64;
/// Bytes of a reading's name.
const NAME_BYTES: usize = 64;
/// Characters of a unit.
const UNIT_MAX: usize = 16;

/// One declared reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = StreamField)]
pub struct Field {
    /// As it stands in the samples.
    #[schema(example = "beam_energy")]
    pub name: String,
    /// At most 16 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "GeV")]
    pub unit: String,
    /// A lower reading is marked as out of range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// A higher one too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Field {
    /// Whether a reading belongs there.
    pub fn holds(&self, reading: f64) -> bool {
        self.min.is_none_or(|min| reading >= min) && self.max.is_none_or(|max| reading <= max)
    }
}

/// Whether a reading can be called so: `[A-Za-z_][A-Za-z0-9_.-]{0,63}`.
pub fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
    first && rest && name.len() <= NAME_BYTES
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> FieldError {
    FieldError::new("fields", message)
}

/// Checks a declaration.
///
/// # Errors
/// For the field `fields`, the sentence for the first rule that is broken.
pub fn check(fields: &[Field]) -> Result<(), FieldError> {
    if fields.len() > FIELDS {
        return Err(wrong("A stream has at most 64 readings."));
    }
    for (place, field) in fields.iter().enumerate() {
        let name = &field.name;
        if !is_name(name) || name == "image" {
            return Err(wrong(
                "A reading's name has at most 64 letters, digits and _ . - and begins with a letter.",
            ));
        }
        if fields[..place].iter().any(|other| other.name == *name) {
            return Err(wrong(format!("The reading “{name}” is declared twice.")));
        }
        if field.unit.chars().count() > UNIT_MAX || field.unit.chars().any(crate::text::is_unruly) {
            return Err(wrong("A unit has at most 16 characters."));
        }
        let finite = [field.min, field.max].into_iter().flatten().all(f64::is_finite);
        if !finite || field.min.zip(field.max).is_some_and(|(min, max)| min > max) {
            return Err(wrong(format!("The range of “{name}” begins above its end.")));
        }
    }
    Ok(())
}

/// A declaration as it is typed: one reading a line, `name, unit, lowest, highest`, of which the name alone is needed.
///
/// # Errors
/// For the field `fields`.
pub fn parse(typed: &str) -> Result<Vec<Field>, FieldError> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    let fields = lines.map(parse_line).collect::<Result<Vec<_>, _>>()?;
    check(&fields)?;
    Ok(fields)
}

fn parse_line(line: &str) -> Result<Field, FieldError> {
    let mut parts = line.split([',', '，']).map(str::trim);
    let (name, unit) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut bound = || match parts.next() {
        None | Some("") => Ok(None),
        Some(text) => text
            .parse::<f64>()
            .map(Some)
            .map_err(|_| wrong("The ends of a range are numbers, as in: beam_energy, GeV, 149.5, 150.5.")),
    };
    let field = Field { name: name.to_owned(), unit: unit.to_owned(), min: bound()?, max: bound()? };
    match parts.next() {
        None => Ok(field),
        Some(_) => Err(wrong("A line has a name, a unit and the two ends of a range, with commas between.")),
    }
}

/// The same as one would type it.
pub fn lines(fields: &[Field]) -> String {
    let bound = |bound: Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    let line = |field: &Field| {
        let parts = [field.name.clone(), field.unit.clone(), bound(field.min), bound(field.max)];
        format!("{}\n", parts.join(", ").trim_end_matches([',', ' ']))
    };
    fields.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_read_as_it_is_written() {
        let typed = "beam_energy, GeV, 149.5, 150.5\nrate, Hz\n\ntemp, °C, , 30\nnote";
        let fields = parse(typed).unwrap();
        assert_eq!(fields.len(), 4);
        assert_eq!(
            (fields[0].min, fields[0].max, fields[0].unit.as_str()),
            (Some(149.5), Some(150.5), "GeV")
        );
        assert_eq!((fields[2].min, fields[2].max), (None, Some(30.0)));
        assert_eq!(parse(&lines(&fields)).unwrap(), fields);
        assert!(fields[2].holds(-40.0) && !fields[2].holds(30.1));
    }

    #[test]
    fn what_is_no_declaration_is_refused_in_a_sentence() {
        for typed in [
            "9lives",
            "a b",
            "image",
            "a\na",
            "a, GeV, high",
            "a, u, 2, 1",
            "a, u, 1, 2, 3",
            "a, , NaN",
            "a, far too long a unit",
            &"x".repeat(65),
            &(0..65).map(|n| format!("f{n}")).collect::<Vec<_>>().join("\n"),
        ] {
            let refusal = parse(typed).unwrap_err();
            assert!(refusal.field == "fields" && refusal.message.ends_with('.'), "{typed}: {refusal:?}");
        }
    }
}
