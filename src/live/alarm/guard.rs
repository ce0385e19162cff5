//! Judges what comes, and what doesn't, by a stream's rules. In memory, and only the rules whose reading is there.
//!
//! Times are milliseconds of a clock that never goes back; whoever calls brings it, so that nothing here waits.

use super::rule::{Rule, When};
use crate::live::field::Field;
use crate::live::sample::{Fields, Value};
use std::collections::{HashMap, HashSet, VecDeque};

/// An alarm is over when its condition has been false for so long, or for as long as it had to be true if that is more.
const CALM: i64 = 10_000;
/// A rule raises an alarm no sooner after the last time.
const PAUSE: i64 = 60_000;
/// Alarms of one stream within [`PAUSE`]; others wait for as long as their condition holds.
const MOST: usize = 10;

/// What has turned.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    Raised(Raised),
    /// The rule's condition is false again, and has been for a while.
    Over {
        rule: String,
    },
    /// The rule was taken away while its alarm stood.
    Retired {
        rule: String,
    },
    /// The first sample since the rules were set.
    Sampled,
}

/// An alarm as it is raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    pub rule: String,
    /// Whose number raised it; nothing for silence.
    pub reading: Option<(String, serde_json::Number)>,
}

struct Watched {
    rule: Rule,
    text: String,
    /// Whether its condition is true, and since when; nothing before that could be judged. For silence: not before a
    /// sample has come.
    judged: Option<(bool, i64)>,
    stands: bool,
    /// When it was raised last.
    raised: Option<i64>,
}

impl Watched {
    fn new(rule: Rule) -> Self {
        Self { text: rule.to_string(), rule, judged: None, stands: false, raised: None }
    }

    /// How long the condition has to be true before anybody is called, ms. Silence lasts by itself.
    fn lasting(&self) -> i64 {
        if self.rule.when == When::Silence { 0 } else { self.rule.lasting }
    }

    /// Takes note of whether the condition is true.
    fn note(&mut self, at: i64, holds: bool) {
        if self.judged.is_none_or(|(before, _)| before != holds) {
            self.judged = Some((holds, at));
        }
    }

    fn is_due(&self, at: i64) -> bool {
        let lasted = matches!(self.judged, Some((true, since)) if at - since >= self.lasting());
        !self.stands && lasted && self.raised.is_none_or(|raised| at - raised >= PAUSE)
    }

    fn is_over(&self, at: i64) -> bool {
        let calm = self.rule.lasting.max(CALM);
        self.stands && matches!(self.judged, Some((false, since)) if at - since >= calm)
    }
}

/// The rules of one stream, and how things stand with each.
#[derive(Default)]
pub struct Guard {
    watched: Vec<Watched>,
    /// Which rules ask for a reading.
    of: HashMap<String, Vec<usize>>,
    /// Which ask for silence, and which for any range.
    silence: Vec<usize>,
    any: Vec<usize>,
    declared: HashMap<String, Field>,
    /// Readings that are out of their range, for the rules about any.
    outside: HashSet<String>,
    /// When a sample came last, or a piece of video where there are no samples.
    last: Option<i64>,
    /// Samples come, and not video alone.
    samples: bool,
    /// A sample has come since the rules were set, and that is stored.
    sampled: bool,
    /// When alarms were raised lately.
    lately: VecDeque<i64>,
}

impl Guard {
    /// The guard of a stream whose alarms by these rules `stand` already. If a sample had come before, silence is counted
    /// from `now` on.
    pub fn new(rules: Vec<Rule>, declared: Vec<Field>, sampled: bool, stand: &[String], now: i64) -> Self {
        let mut guard = Self { sampled, ..Self::default() };
        guard.set(rules, declared, sampled);
        for watched in &mut guard.watched {
            watched.stands = stand.contains(&watched.text);
            if sampled && watched.rule.when == When::Silence {
                watched.judged = Some((watched.stands, now));
            }
        }
        guard.last = sampled.then_some(now);
        guard
    }

    /// There is something to look after.
    pub fn has_rules(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Other rules, or other ranges. What is known of those that stay is kept.
    pub fn set(&mut self, rules: Vec<Rule>, declared: Vec<Field>, sampled: bool) -> Vec<Turn> {
        let mut before: HashMap<String, Watched> =
            self.watched.drain(..).map(|watched| (watched.text.clone(), watched)).collect();
        let keep = |rule| {
            let fresh = Watched::new(rule);
            before.remove(&fresh.text).unwrap_or(fresh)
        };
        self.watched = rules.into_iter().map(keep).collect();
        let retired = before.into_values().filter(|watched| watched.stands);
        let turns = retired.map(|watched| Turn::Retired { rule: watched.text }).collect();
        self.of.clear();
        (self.silence, self.any) = (Vec::new(), Vec::new());
        for (at, watched) in self.watched.iter().enumerate() {
            match &watched.rule.when {
                When::Silence => self.silence.push(at),
                When::Outside(None) => self.any.push(at),
                When::Compares { reading, .. } | When::Outside(Some(reading)) => {
                    self.of.entry(reading.clone()).or_default().push(at);
                }
            }
        }
        self.declared = declared.into_iter().map(|field| (field.name.clone(), field)).collect();
        self.outside.clear();
        self.sampled = sampled;
        turns
    }

    /// A piece of video has come. Where samples come as well it is those that must not be missing.
    pub fn filmed(&mut self, at: i64) -> Vec<Turn> {
        if self.watched.is_empty() || self.samples { Vec::new() } else { self.heard(at) }
    }

    fn heard(&mut self, at: i64) -> Vec<Turn> {
        self.last = Some(at);
        for rule in self.silence.clone() {
            self.watched[rule].note(at, false);
        }
        let is_first = !std::mem::replace(&mut self.sampled, true);
        is_first.then_some(Turn::Sampled).into_iter().collect()
    }

    /// A sample has come.
    pub fn came(&mut self, at: i64, fields: &Fields) -> Vec<Turn> {
        self.samples = true;
        if self.watched.is_empty() {
            return Vec::new();
        }
        let mut turns = self.heard(at);
        let mut first_outside = None;
        let mut any_ranged = false;
        for (name, value) in &fields.0 {
            let Value::Number(number) = value else { continue };
            let Some(reading) = number.as_f64() else { continue };
            let range = self.declared.get(name);
            let is_out = range.is_some_and(|range| !range.holds(reading));
            let is_ranged = range.is_some_and(|range| range.min.is_some() || range.max.is_some());
            for rule in self.of.get(name).cloned().unwrap_or_default() {
                let watched = &mut self.watched[rule];
                let holds = match &watched.rule.when {
                    When::Compares { how, than, .. } => how.holds(reading, *than),
                    _ => is_out,
                };
                watched.note(at, holds);
                turns.extend(self.raise(rule, at, Some((name, number))));
            }
            if is_ranged && !self.any.is_empty() {
                any_ranged = true;
                if is_out {
                    first_outside = first_outside.or(Some((name, number)));
                    self.outside.insert(name.clone());
                } else {
                    self.outside.remove(name);
                }
            }
        }
        if any_ranged {
            for rule in self.any.clone() {
                self.watched[rule].note(at, !self.outside.is_empty());
                // It is raised by a sample that shows it.
                if first_outside.is_some() {
                    turns.extend(self.raise(rule, at, first_outside));
                }
            }
        }
        turns
    }

    /// Time has passed.
    pub fn tick(&mut self, now: i64) -> Vec<Turn> {
        let mut turns = Vec::new();
        for rule in self.silence.clone() {
            let silent = self.last.map_or(0, |last| now - last) >= self.watched[rule].rule.lasting;
            if silent && self.watched[rule].judged.is_some() {
                self.watched[rule].note(now, true);
                turns.extend(self.raise(rule, now, None));
            }
        }
        for watched in self.watched.iter_mut().filter(|watched| watched.is_over(now)) {
            watched.stands = false;
            turns.push(Turn::Over { rule: watched.text.clone() });
        }
        turns
    }

    fn raise(&mut self, rule: usize, at: i64, by: Option<(&String, &serde_json::Number)>) -> Option<Turn> {
        if !self.watched[rule].is_due(at) {
            return None;
        }
        self.lately.retain(|raised| at - raised < PAUSE);
        if self.lately.len() >= MOST {
            return None;
        }
        self.lately.push_back(at);
        let watched = &mut self.watched[rule];
        (watched.stands, watched.raised) = (true, Some(at));
        let reading = by.map(|(name, number)| (name.clone(), number.clone()));
        Some(Turn::Raised(Raised { rule: watched.text.clone(), reading }))
    }
}

#[cfg(test)]
mod tests;
