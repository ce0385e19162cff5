//! What the guard calls out, and when.

use super::super::rule;
use super::*;

fn ranged() -> Vec<Field> {
    ["energy", "temp"].map(|name| Field { name: name.into(), max: Some(10.0), ..Field::default() }).into()
}

fn guard(rules: &str) -> Guard {
    Guard::new(rule::parse(rules).unwrap(), ranged(), true, &[], 0)
}

fn fields(readings: &[(&str, f64)]) -> Fields {
    let value = |reading| Value::Number(serde_json::Number::from_f64(reading).unwrap());
    Fields(readings.iter().map(|(name, reading)| ((*name).to_owned(), value(*reading))).collect())
}

/// What turned, in short: `+rule by reading`, `-rule`.
fn short(turns: Vec<Turn>) -> Vec<String> {
    let one = |turn| match turn {
        Turn::Raised(Raised { rule, reading: Some((name, number)) }) => format!("+{rule} by {name} {number}"),
        Turn::Raised(Raised { rule, reading: None }) => format!("+{rule}"),
        Turn::Over { rule } => format!("-{rule}"),
        Turn::Retired { rule } => format!("x{rule}"),
        Turn::Sampled => "sampled".to_owned(),
    };
    turns.into_iter().map(one).collect()
}

fn came(guard: &mut Guard, at: i64, name: &str, reading: f64) -> Vec<String> {
    let mut turns = short(guard.came(at, &fields(&[(name, reading)])));
    turns.extend(short(guard.tick(at)));
    turns
}

const NOTHING: [String; 0] = [];

#[test]
fn every_sample_of_the_time_has_to_fulfil_it() {
    let mut guard = guard("rate < 9.5 for 10 s");
    for at in (0..10).map(|n| n * 1000) {
        assert_eq!(came(&mut guard, at, "rate", 9.0), NOTHING);
    }
    // One that doesn't begins it anew, however short it was.
    assert_eq!(came(&mut guard, 9_900, "rate", 9.6), NOTHING);
    for at in (10..20).map(|n| n * 1000) {
        assert_eq!(came(&mut guard, at, "rate", 9.4), NOTHING, "{at}");
        assert_eq!(came(&mut guard, at + 10, "other", 99.0), NOTHING);
    }
    assert_eq!(came(&mut guard, 20_000, "rate", 9.3), ["+rate < 9.5 for 10 s by rate 9.3"]);
    assert_eq!(came(&mut guard, 90_000, "rate", 9.3), NOTHING, "it stands already");
}

#[test]
fn it_is_over_when_it_has_been_good_for_a_while_and_only_then() {
    let mut guard = guard("rate < 9.5\nload > 5 for 1 min");
    assert_eq!(came(&mut guard, 0, "rate", 9.0), ["+rate < 9.5 by rate 9.0"]);
    // It flaps for an hour, every 5 s, and nobody is called again.
    for n in 1..720 {
        assert_eq!(came(&mut guard, n * 5_000, "rate", if n % 2 == 0 { 9.0 } else { 9.9 }), NOTHING);
    }
    assert_eq!(short(guard.tick(3_604_999)), NOTHING);
    assert_eq!(short(guard.tick(3_605_000)), ["-rate < 9.5"]);
    assert_eq!(came(&mut guard, 3_606_000, "rate", 9.0), ["+rate < 9.5 by rate 9.0"]);
    // A rule with a time of its own is over after as long a time.
    assert_eq!(came(&mut guard, 4_000_000, "load", 6.0), ["+load > 5 for 1 min by load 6.0"; 0]);
    assert_eq!(came(&mut guard, 4_060_000, "load", 6.0), ["+load > 5 for 1 min by load 6.0"]);
    assert_eq!(came(&mut guard, 4_061_000, "load", 4.0), NOTHING);
    assert_eq!(short(guard.tick(4_120_000)), NOTHING);
    assert_eq!(short(guard.tick(4_121_000)), ["-load > 5 for 1 min"]);
}

#[test]
fn a_rule_calls_once_a_minute_and_a_stream_ten_times() {
    let mut guard = guard("rate < 1");
    let mut raised = 0;
    // Bad for a second, good for eleven: it is over each time.
    for n in 0..300 {
        let at = n * 12_000;
        raised += came(&mut guard, at, "rate", 0.0).iter().filter(|turn| turn.starts_with('+')).count();
        let _ = came(&mut guard, at + 1000, "rate", 2.0);
        let _ = guard.tick(at + 11_500);
    }
    assert_eq!(raised, 60, "in an hour");
    let rules = (0..32).map(|n| format!("r{n} > 0")).collect::<Vec<_>>().join("\n");
    let mut guard = Guard::new(rule::parse(&rules).unwrap(), Vec::new(), true, &[], 0);
    let names: Vec<String> = (0..32).map(|n| format!("r{n}")).collect();
    let all: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    let counts: Vec<usize> =
        [0, 1_000, 59_999, 60_000, 120_000, 180_000].map(|at| guard.came(at, &fields(&all)).len()).into();
    assert_eq!(counts, [10, 0, 0, 10, 10, 2], "the others wait and are not lost");
}

#[test]
fn silence_needs_no_sample_to_be_heard_but_one_to_begin() {
    let rules = || rule::parse("no sample for 30 s").unwrap();
    let mut never = Guard::new(rules(), Vec::new(), false, &[], 0);
    assert_eq!(short(never.tick(10_000_000)), NOTHING, "nothing ever came");
    assert_eq!(came(&mut never, 10_000_000, "a", 1.0), ["sampled"]);
    assert_eq!(came(&mut never, 10_020_000, "a", 1.0), NOTHING);
    assert_eq!(short(never.tick(10_049_999)), NOTHING);
    assert_eq!(short(never.tick(10_050_000)), ["+no sample for 30 s"]);
    assert_eq!(short(never.tick(10_100_000)), NOTHING);
    // Back for a moment, and gone again: the same alarm still.
    assert_eq!(came(&mut never, 10_100_000, "a", 1.0), NOTHING);
    assert_eq!(short(never.tick(10_129_000)), NOTHING);
    assert_eq!(short(never.tick(10_140_000)), NOTHING);
    for n in 0..30 {
        assert_eq!(came(&mut never, 10_200_000 + n * 1000, "a", 1.0), NOTHING);
    }
    assert_eq!(short(never.tick(10_230_000)), ["-no sample for 30 s"]);
    // After a restart it is counted from there on; what stood stands.
    let mut restarted = Guard::new(rules(), Vec::new(), true, &[], 5_000);
    assert_eq!(short(restarted.tick(34_999)), NOTHING);
    assert_eq!(short(restarted.tick(35_000)), ["+no sample for 30 s"]);
    let mut standing = Guard::new(rules(), Vec::new(), true, &["no sample for 30 s".into()], 0);
    assert_eq!(short(standing.tick(100_000)), NOTHING);
}

#[test]
fn video_breaks_the_silence_of_a_stream_without_samples_only() {
    let mut guard = guard("no sample for 30 s");
    assert_eq!(short(guard.filmed(40_000)), NOTHING);
    assert_eq!(short(guard.tick(60_000)), NOTHING);
    assert_eq!(short(guard.tick(70_000)), ["+no sample for 30 s"]);
    assert_eq!(short(guard.filmed(100_000)), NOTHING);
    assert_eq!(short(guard.filmed(115_000)), NOTHING);
    assert_eq!(short(guard.tick(130_000)), ["-no sample for 30 s"]);
    // From the first sample on, samples are missed though video comes.
    assert_eq!(came(&mut guard, 140_000, "rate", 1.0), NOTHING);
    assert_eq!(short(guard.filmed(169_000)), NOTHING);
    assert_eq!(short(guard.tick(170_000)), ["+no sample for 30 s"]);
}

#[test]
fn an_alarm_that_stood_before_a_restart_is_not_raised_again() {
    let rules = rule::parse("rate < 9.5").unwrap();
    let mut guard = Guard::new(rules, Vec::new(), true, &["rate < 9.5".into()], 0);
    assert_eq!(came(&mut guard, 1_000, "rate", 9.0), NOTHING);
    assert_eq!(came(&mut guard, 2_000, "rate", 9.9), NOTHING);
    assert_eq!(short(guard.tick(12_000)), ["-rate < 9.5"]);
}

#[test]
fn ranges_are_those_that_are_declared() {
    let mut guard = guard("energy out of range\nany out of range for 2 s");
    assert_eq!(came(&mut guard, 0, "temp", 11.0), NOTHING);
    // Another reading in a sample of its own doesn't make the first one good.
    assert_eq!(came(&mut guard, 1_000, "energy", 5.0), NOTHING);
    assert_eq!(came(&mut guard, 1_500, "undeclared", 1e9), NOTHING);
    assert_eq!(came(&mut guard, 2_000, "energy", 5.0), NOTHING, "it doesn't show what is wrong");
    assert_eq!(came(&mut guard, 2_100, "temp", 12.5), ["+any out of range for 2 s by temp 12.5"]);
    assert_eq!(came(&mut guard, 3_000, "energy", 10.5), ["+energy out of range by energy 10.5"]);
    assert_eq!(came(&mut guard, 4_000, "temp", 1.0), NOTHING);
    assert_eq!(came(&mut guard, 5_000, "energy", 1.0), NOTHING);
    let mut over = short(guard.tick(15_000));
    over.sort_unstable();
    assert_eq!(over, ["-any out of range for 2 s", "-energy out of range"]);
}

#[test]
fn rules_that_stay_keep_what_is_known_and_those_that_go_end_their_alarm() {
    let mut guard = guard("a > 1\nb > 1\nc > 1 for 10 s");
    let _ = guard.came(0, &fields(&[("a", 2.0), ("b", 2.0), ("c", 2.0)]));
    let turns = guard.set(rule::parse("c > 1 for 10 s\na > 1").unwrap(), Vec::new(), false);
    assert_eq!(short(turns), ["xb > 1"]);
    assert_eq!(
        short(guard.came(10_000, &fields(&[("a", 2.0), ("b", 2.0), ("c", 2.0)]))),
        ["sampled", "+c > 1 for 10 s by c 2.0"]
    );
    let texts = Fields(vec![("a".into(), Value::Text("5".into()))]);
    assert_eq!(short(guard.came(11_000, &texts)), NOTHING, "a text is no number");
}

#[test]
fn sixty_samples_a_second_of_64_readings_are_little_work() {
    let rules = (0..32).map(|n| format!("r{n} > 5 for 10 s")).collect::<Vec<_>>().join("\n");
    let mut guard = Guard::new(rule::parse(&rules).unwrap(), Vec::new(), true, &[], 0);
    let names: Vec<String> = (0..64).map(|n| format!("r{n}")).collect();
    let all = fields(&names.iter().map(|name| (name.as_str(), 1.0)).collect::<Vec<_>>());
    let began = std::time::Instant::now();
    for n in 0..6_000 {
        assert!(guard.came(n * 16, &all).is_empty());
    }
    // A hundred seconds of it; unoptimised and on a busy machine.
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}
