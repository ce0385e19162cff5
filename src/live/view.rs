//! What pages show of a stream: its state, its latest readings and its picture.

use super::alarm::Alarm;
use super::field::Field;
use super::ring::Store;
use super::stream::Stream;
use super::studio::Running;
use crate::site::page::Stamp;
use serde_json::Value;

/// A stream as a page shows it.
#[derive(Debug, Clone, Default)]
pub struct StreamView {
    pub name: String,
    pub title: String,
    /// `/live/{name}`
    pub href: String,
    pub public: bool,
    pub live: bool,
    /// When a sample or a piece of video came last; nothing before the first.
    pub latest: Option<Stamp>,
    pub seq: i64,
    /// Those that are declared first, then as they stand in the sample.
    pub readings: Vec<ReadingView>,
    pub picture: Option<PictureView>,
    /// Width and height of the video that comes just now, pixels.
    pub video: Option<(u16, u16)>,
    /// What is declared, as JSON for the script.
    pub fields: String,
    /// Those that stand.
    pub alarms: Vec<AlarmView>,
}

/// An alarm that stands.
#[derive(Debug, Clone, Default)]
pub struct AlarmView {
    pub id: i64,
    pub rule: String,
    /// Whose number it was, as people read it, and that number; empty for silence.
    pub label: String,
    pub value: String,
    pub at: Stamp,
    pub over: bool,
    /// Who has it.
    pub by: Option<String>,
}

impl From<&Alarm> for AlarmView {
    fn from(alarm: &Alarm) -> Self {
        Self {
            id: alarm.id.0,
            rule: alarm.rule.clone(),
            label: if alarm.reading.is_empty() { String::new() } else { label(&alarm.reading) },
            value: alarm.value.clone(),
            at: Stamp(alarm.raised_at),
            over: alarm.over_at.is_some(),
            by: alarm.acknowledged_name.clone(),
        }
    }
}

/// One reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadingView {
    pub name: String,
    /// The name as people read it.
    pub label: String,
    /// Empty where the latest sample has none.
    pub value: String,
    pub unit: String,
    /// Out of its declared range.
    pub out: bool,
    /// A text is no number and has no plot.
    pub number: bool,
}

/// The newest picture.
#[derive(Debug, Clone, Default)]
pub struct PictureView {
    pub src: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

impl StreamView {
    pub fn new(row: &Stream, running: Option<&Running>) -> Self {
        let declared = row.fields();
        let mut view = Self {
            href: format!("/live/{}", row.name),
            title: row.called().to_owned(),
            public: row.public,
            fields: serde_json::to_string(&declared).unwrap_or_default(),
            name: row.name.clone(),
            ..Self::default()
        };
        match running {
            Some(running) => view.fill(&running.store(), &declared),
            None => view.readings = readings(&Value::Null, &declared),
        }
        view
    }

    fn fill(&mut self, store: &Store, declared: &[Field]) {
        self.live = store.is_live();
        self.alarms = store.alarms.iter().map(|alarm| AlarmView::from(&**alarm)).collect();
        self.video = store.video.newest().and_then(|segment| segment.init.size());
        let newest = store.samples.newest();
        self.latest = store.last.map(Stamp);
        self.seq = newest.map_or(0, |kept| kept.seq);
        let sample = newest.and_then(|kept| serde_json::from_str(&kept.json).ok()).unwrap_or(Value::Null);
        self.readings = readings(&sample, declared);
        self.picture = store.pictures.newest().map(|shot| PictureView {
            src: format!("/live/{}/picture.jpg?seq={}", self.name, shot.seq),
            width: shot.width,
            height: shot.height,
        });
    }

    /// An alarm stands that nobody has yet.
    pub fn calls(&self) -> bool {
        self.alarms.iter().any(|alarm| alarm.by.is_none())
    }

    /// Which of the people's colours its tile has where it has no picture.
    pub fn tint(&self) -> i64 {
        let sum: i64 = self.name.bytes().map(i64::from).sum();
        sum.rem_euclid(crate::site::page::TINTS)
    }

    /// The two readings that stand for it on the wall: the first numbers.
    pub fn leading(&self) -> impl Iterator<Item = &ReadingView> {
        self.readings.iter().filter(|reading| reading.number && !reading.value.is_empty()).take(2)
    }
}

/// `beam energy` for `beam_energy`. `static/js/lib/readings.js` follows the same rule.
pub(super) fn label(name: &str) -> String {
    let words = name.replace('_', " ");
    let words = words.trim();
    if words.is_empty() { name.to_owned() } else { words.to_owned() }
}

/// At most six significant digits; the script sees more of them at once, and gives neighbours as many decimals.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(reading) if number.is_f64() => format!("{reading:.5e}")
                .parse::<f64>()
                .map_or_else(|_| number.to_string(), |short| short.to_string()),
            _ => number.to_string(),
        },
        _ => String::new(),
    }
}

fn readings(sample: &Value, declared: &[Field]) -> Vec<ReadingView> {
    let out: Vec<&str> = sample["out"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = sample["fields"].as_object();
    let view = |name: &str, unit: &str, value: Option<&Value>| ReadingView {
        name: name.to_owned(),
        label: label(name),
        value: value.map(written).unwrap_or_default(),
        unit: unit.to_owned(),
        out: out.contains(&name),
        number: value.is_none_or(Value::is_number),
    };
    let first = declared
        .iter()
        .map(|field| view(&field.name, &field.unit, fields.and_then(|fields| fields.get(&field.name))));
    let rest = fields
        .into_iter()
        .flatten()
        .filter(|(name, _)| !declared.iter().any(|field| field.name == **name))
        .map(|(name, value)| view(name, "", Some(value)));
    first.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn declared_readings_come_first_with_their_units() {
        let declared = [Field { name: "beam_energy".into(), unit: "GeV".into(), ..Field::default() }];
        let sample = json!({
            "fields": { "note": "warm up", "n": 5, "beam_energy": 150.123_456_7 }, "out": ["n"],
        });
        let found = readings(&sample, &declared);
        let shown: Vec<_> = found
            .iter()
            .map(|r| (r.label.as_str(), r.value.as_str(), r.unit.as_str(), r.out, r.number))
            .collect();
        assert_eq!(
            shown,
            [
                ("beam energy", "150.123", "GeV", false, true),
                ("note", "warm up", "", false, false),
                ("n", "5", "", true, true)
            ]
        );
        assert_eq!(readings(&Value::Null, &declared)[0].value, "");
        assert_eq!(label("_"), "_");
    }
}
