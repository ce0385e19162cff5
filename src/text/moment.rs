//! Moments of a recording as people write them: `1:23`, `75:10`, `1:02:03`.

/// Digits before the first colon: recordings are shorter than a thousand minutes.
const DIGITS: usize = 3;

/// A moment in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its bytes in the text.
    pub start: usize,
    pub end: usize,
    /// From the beginning.
    pub seconds: u32,
}

/// The moment whose first colon stands at `colon`, and that begins at `from` or later.
///
/// It is no part of a number, an address or a ratio of more parts than a time has.
pub fn at(text: &str, from: usize, colon: usize) -> Option<Moment> {
    let before = &text[from..colon];
    let start = colon - before.bytes().rev().take_while(u8::is_ascii_digit).count();
    if !(1..=DIGITS).contains(&(colon - start)) || text[..start].chars().next_back().is_some_and(goes_on) {
        return None;
    }
    let first: u32 = text[start..colon].parse().ok()?;
    let second = pair(text, colon)?;
    let (seconds, end) = match pair(text, colon + 3) {
        Some(third) if first < 100 => (first * 3600 + second * 60 + third, colon + 6),
        _ => (first * 60 + second, colon + 3),
    };
    let rest = &text[end..];
    let mut after = rest.chars();
    let is_more = match after.next() {
        Some('.' | ',' | ':') => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_ascii_alphanumeric() || matches!(c, '_' | '/'),
        None => false,
    };
    (!is_more).then_some(Moment { start, end, seconds })
}

/// The two digits behind the colon at `colon`, below 60.
fn pair(text: &str, colon: usize) -> Option<u32> {
    let digits = text.get(colon..colon + 3)?.strip_prefix(':')?;
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|value| is_number && *value < 60)
}

/// Whether a moment can't begin behind this. Chinese puts no space before one.
fn goes_on(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | ',' | '_' | '/' | '+' | '=')
}

/// Whether there is any in a text.
pub fn any(text: &str) -> bool {
    text.match_indices(':').any(|(colon, _)| at(text, 0, colon).is_some())
}

/// `1:23`, `1:02:03`; from milliseconds.
pub fn clock(ms: i64) -> String {
    let seconds = (ms / 1000).max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, u32)> {
        let mut from = 0;
        let mut all = Vec::new();
        for (colon, _) in text.match_indices(':') {
            if let Some(moment) = (colon >= from).then(|| at(text, from, colon)).flatten() {
                all.push((&text[moment.start..moment.end], moment.seconds));
                from = moment.end;
            }
        }
        all
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1:23", &[("1:23", 83)][..]),
            ("at 0:05, (12:00).", &[("0:05", 5), ("12:00", 720)]),
            ("01:02:03!", &[("01:02:03", 3723)]),
            ("125:30", &[("125:30", 7530)]),
            ("從1:23到1:30：好", &[("1:23", 83), ("1:30", 90)]),
            ("1:23-1:30 [2:00]", &[("1:23", 83), ("1:30", 90), ("2:00", 120)]),
            ("1:23: there", &[("1:23", 83)]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
        for text in [
            "1:2",
            "1:60",
            "a1:23",
            "1:23am",
            "1:02:03:04",
            "1:23.5",
            "1234:56",
            "16:9",
            "::1",
            "1:99:00",
            "x:23",
            "1：23",
        ] {
            assert_eq!(found(text), [], "{text}");
            assert!(!any(text), "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_as_a_clock_shows_it() {
        for (ms, text) in [(0, "0:00"), (83_900, "1:23"), (3_723_000, "1:02:03"), (-5, "0:00")] {
            assert_eq!(clock(ms), text);
        }
    }
}
