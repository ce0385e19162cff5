//! The rules of a stream's alarms as people write them: `repetition_rate < 9.5 for 10 s`, `no sample for 30 s`,
//! `temperature out of range for 1 min`, `any out of range`.

use crate::error::FieldError;
use crate::live::field::{Field, is_name};
use std::cmp::Ordering;
use std::fmt;

/// Rules of one stream.
pub const RULES: usize = 32;
/// How long a condition may have to last, milliseconds.
const LASTING: std::ops::RangeInclusive<f64> = 1_000.0..=86_400_000.0;
/// Characters of what was typed that a refusal repeats.
const QUOTED: usize = 40;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub when: When,
    /// How long that has to be so, ms; 0 for at once.
    pub lasting: i64,
}

/// What raises an alarm.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// Nothing comes.
    Silence,
    /// A reading lies on this side of a number.
    Compares { reading: String, how: How, than: f64 },
    /// A reading is out of its declared range; without a name any of them.
    Outside(Option<String>),
}

/// How a reading is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    Unequal,
}

impl How {
    fn parse(sign: &str) -> Option<Self> {
        Some(match sign {
            "<" => Self::Below,
            "<=" | "≤" => Self::AtMost,
            ">" => Self::Above,
            ">=" | "≥" => Self::AtLeast,
            "=" | "==" => Self::Equal,
            "!=" | "≠" => Self::Unequal,
            _ => return None,
        })
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
            Self::Unequal => "!=",
        }
    }

    /// Whether `reading` lies so to `than`.
    pub fn holds(self, reading: f64, than: f64) -> bool {
        let Some(order) = reading.partial_cmp(&than) else { return false };
        match self {
            Self::Below => order == Ordering::Less,
            Self::AtMost => order != Ordering::Greater,
            Self::Above => order == Ordering::Greater,
            Self::AtLeast => order != Ordering::Less,
            Self::Equal => order == Ordering::Equal,
            Self::Unequal => order != Ordering::Equal,
        }
    }
}

/// As it is stored: two ways of typing the same are the same.
impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.when {
            When::Silence => return write!(out, "no sample for {}", span(self.lasting)),
            When::Compares { reading, how, than } => {
                write!(out, "{reading} {} {}", how.sign(), plain(*than))?;
            }
            When::Outside(reading) => write!(out, "{} out of range", reading.as_deref().unwrap_or("any"))?,
        }
        if self.lasting > 0 { write!(out, " for {}", span(self.lasting)) } else { Ok(()) }
    }
}

/// A number in few digits, however large or small.
fn plain(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 || (1e-6..1e15).contains(&size) { number.to_string() } else { format!("{number:e}") }
}

/// `90 s`, `5 min`, `2 h`
fn span(ms: i64) -> String {
    for (unit, length) in [("h", 3_600_000), ("min", 60_000)] {
        if ms % length == 0 {
            return format!("{} {unit}", ms / length);
        }
    }
    format!("{} s", plain(ms as f64 / 1000.0))
}

/// Why a line isn't a rule.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Name(String),
    Comparison(String),
    Number(String),
    Time(String),
    Rest,
    Silence,
}

impl Wrong {
    fn sentence(self, line: usize) -> FieldError {
        wrong(match self {
            Self::Name(word) => format!(
                "Line {line}: “{word}” is no reading's name. It has letters, digits and _ . - and begins with a letter."
            ),
            Self::Comparison(name) => {
                format!(
                    "Line {line}: after “{name}” comes one of < <= > >= = != and a number, or “out of range”."
                )
            }
            Self::Number(word) => {
                format!("Line {line}: “{word}” is no number. Write it as 9.5 or 1e-6, without a unit.")
            }
            Self::Time(word) => {
                format!("Line {line}: “{word}” is no time. Write it as 10 s, 5 min or 2 h, from 1 s to 24 h.")
            }
            Self::Rest => {
                format!("Line {line}: behind this may only stand “for” and a time, as in “for 10 s”.")
            }
            Self::Silence => {
                format!("Line {line}: write “no sample for” and a time, as in “no sample for 30 s”.")
            }
        })
    }
}

fn wrong(message: impl Into<std::borrow::Cow<'static, str>>) -> FieldError {
    FieldError::new("alarms", message)
}

fn quoted(word: &str) -> String {
    word.chars().filter(|c| !crate::text::is_unruly(*c)).take(QUOTED).collect()
}

/// Rules as they are typed, one a line; empty lines are left out.
///
/// # Errors
/// For the field `alarms`, with the number of the first line that is none.
pub fn parse(typed: &str) -> Result<Vec<Rule>, FieldError> {
    let mut rules: Vec<Rule> = Vec::new();
    for (place, line) in typed.lines().enumerate() {
        let (line, number) = (line.trim(), place + 1);
        if line.is_empty() {
            continue;
        }
        let rule = one(line).map_err(|wrong| wrong.sentence(number))?;
        if rules.contains(&rule) {
            return Err(wrong(format!("Line {number}: the same rule stands there already.")));
        }
        if rules.len() == RULES {
            return Err(wrong("A stream has at most 32 alarms."));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Rules as they are stored and typed: one a line.
pub fn lines(rules: &[Rule]) -> String {
    rules.iter().map(Rule::to_string).collect::<Vec<_>>().join("\n")
}

/// Whether the rules can mean something beside what is declared.
///
/// # Errors
/// For the field `alarms`: a rule asks for a range that isn't declared.
pub fn fit(rules: &[Rule], declared: &[Field]) -> Result<(), FieldError> {
    let ranged = |field: &Field| field.min.is_some() || field.max.is_some();
    for rule in rules {
        match &rule.when {
            When::Outside(Some(name)) if !declared.iter().any(|f| f.name == *name && ranged(f)) => {
                return Err(wrong(format!(
                    "The alarm “{rule}” asks for a range, and “{name}” has none declared."
                )));
            }
            When::Outside(None) if !declared.iter().any(ranged) => {
                return Err(wrong(format!(
                    "The alarm “{rule}” asks for a range, and no reading has one declared."
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A rule from its line.
fn one(line: &str) -> Result<Rule, Wrong> {
    let spaced = spaced(line);
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|w| w.eq_ignore_ascii_case(word));
    if is(0, "no") && words.get(1).is_none_or(|sign| How::parse(sign).is_none()) && !is(1, "out") {
        if !(is(1, "sample") && is(2, "for")) || words.len() < 4 {
            return Err(Wrong::Silence);
        }
        return Ok(Rule { when: When::Silence, lasting: time(&words[3..])? });
    }
    let name = words.first().copied().unwrap_or_default();
    if !is_name(name) || name == "image" {
        return Err(Wrong::Name(quoted(name)));
    }
    let (when, rest) = if is(1, "out") && is(2, "of") && is(3, "range") {
        let any = name.eq_ignore_ascii_case("any");
        (When::Outside((!any).then(|| name.to_owned())), &words[4..])
    } else {
        let comparison = words.get(1).and_then(|sign| How::parse(sign));
        let how = comparison.ok_or_else(|| Wrong::Comparison(quoted(name)))?;
        let typed = words.get(2).copied().unwrap_or_default();
        let number = typed.parse::<f64>().ok().filter(|number| number.is_finite() && typed.len() <= QUOTED);
        let than = number.ok_or_else(|| Wrong::Number(quoted(typed)))?;
        (When::Compares { reading: name.to_owned(), how, than }, &words[3..])
    };
    let lasting = match rest {
        [] => 0,
        [word, time_words @ ..] if word.eq_ignore_ascii_case("for") => time(time_words)?,
        _ => return Err(Wrong::Rest),
    };
    Ok(Rule { when, lasting })
}

/// The line with space around its signs, which nobody has to type.
fn spaced(line: &str) -> String {
    let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '≤' | '≥' | '≠');
    let mut spaced = String::with_capacity(line.len() + 4);
    let mut before = false;
    for c in line.chars() {
        if is_sign(c) != before {
            spaced.push(' ');
        }
        before = is_sign(c);
        spaced.push(c);
    }
    spaced
}

/// `10 s`, `10s`, `1.5 min`; milliseconds.
fn time(words: &[&str]) -> Result<i64, Wrong> {
    let typed = words.concat();
    let wrong = || Wrong::Time(quoted(&words.join(" ")));
    let end = typed.find(|c: char| c.is_alphabetic()).ok_or_else(wrong)?;
    let length = match typed[end..].to_lowercase().as_str() {
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return Err(wrong()),
    };
    let ms = typed[..end].parse::<f64>().map_err(|_| wrong())? * length;
    if !LASTING.contains(&ms) {
        return Err(wrong());
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is at most a day")]
    Ok(ms.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_are_read_as_people_write_them() {
        for (typed, stored) in [
            ("repetition_rate < 9.5 for 10 s", "repetition_rate < 9.5 for 10 s"),
            ("  rate<9.50 for 10s ", "rate < 9.5 for 10 s"),
            ("a>=-1e-9", "a >= -1e-9"),
            ("a ≤ 3 FOR 90 s", "a <= 3 for 90 s"),
            ("a == 0 for 120 s", "a = 0 for 2 min"),
            ("a≠1", "a != 1"),
            ("No sample for 0.5 min", "no sample for 30 s"),
            ("no sample for 24h", "no sample for 24 h"),
            ("temp.in out of range for 1.5 s", "temp.in out of range for 1.5 s"),
            ("any out of range", "any out of range"),
            ("no > 5", "no > 5"),
            ("no out of range", "no out of range"),
            ("any > 5e300", "any > 5e300"),
        ] {
            let rules = parse(typed).unwrap();
            assert_eq!(lines(&rules), stored, "{typed}");
            assert_eq!(parse(stored).unwrap(), rules);
        }
        assert_eq!(parse("\n\na > 1\n \nb > 1\r\n").unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_rule_is_refused_in_a_sentence_that_names_it() {
        for (typed, named) in [
            ("9lives > 1", "Line 1: “9lives” is no reading's name"),
            ("a > 1\n\nimage > 1", "Line 3: “image” is no"),
            ("rate", "after “rate” comes"),
            ("rate is 5", "after “rate” comes"),
            ("rate => 5", "after “rate” comes"),
            ("rate <", "“” is no number"),
            ("rate < NaN", "“NaN” is no number"),
            ("rate < 1e999", "is no number"),
            ("rate < 9.5Hz", "“9.5Hz” is no number"),
            ("rate < 9.5 Hz", "behind this may only stand"),
            ("rate < 9.5 for", "“” is no time"),
            ("rate < 9.5 for 10", "“10” is no time"),
            ("rate < 9.5 for 10 parsecs", "“10 parsecs” is no time"),
            ("rate < 9.5 for 0.1 s", "is no time"),
            ("rate < 9.5 for 25 h", "is no time"),
            ("rate < 9.5 for -10 s", "is no time"),
            ("rate < 9.5 for inf s", "is no time"),
            ("rate out of range soon", "behind this"),
            ("no sample", "write “no sample for”"),
            ("no sample for", "write “no sample for”"),
            ("no signal for 3 s", "write “no sample for”"),
            ("a > 1\na>1.0", "Line 2: the same rule"),
            (&(0..33).map(|n| format!("a > {n}")).collect::<Vec<_>>().join("\n"), "at most 32"),
            (&"長".repeat(5000), "is no reading's name"),
        ] {
            let refusal = parse(typed).unwrap_err();
            assert_eq!(refusal.field, "alarms");
            assert!(refusal.message.contains(named), "{typed}: {}", refusal.message);
            assert!(refusal.message.ends_with('.') && refusal.message.chars().count() < 160);
        }
    }

    #[test]
    fn a_rule_for_a_range_needs_one() {
        let field = |max| Field { name: "temp".into(), max, ..Field::default() };
        for rule in ["temp out of range", "any out of range"] {
            let rules = parse(rule).unwrap();
            assert!(fit(&rules, &[field(Some(4.4))]).is_ok());
            assert!(fit(&rules, &[field(None)]).unwrap_err().message.contains("asks for a range"));
        }
        assert!(fit(&parse("other > 1\nno sample for 3 s").unwrap(), &[]).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(typed in "\\PC{0,120}") {
            let _ = parse(&typed);
        }

        #[test]
        fn whatever_is_read_is_read_the_same_again(typed in "(no|any|a[a-z]?) ?(sample|out of range|<|>=|!=|=) ?(-?[0-9]{1,20}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?)? ?(for [0-9]{1,4}(\\.[0-9]{1,5})? ?(s|min|h))?") {
            if let Ok(rules) = parse(&typed) {
                prop_assert_eq!(parse(&lines(&rules)).unwrap(), rules);
            }
        }
    }
}
