//! Days, months and years as people type them into a search.

use crate::clock::now_ms;
use crate::error::{Error, Result};
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

const DAY: i64 = 86_400_000;

/// A moment as it is typed: a day, a month, a year, `7d` or `2w` ago, or milliseconds. In UTC.
///
/// # Errors
/// A sentence for `field`.
pub fn moment(field: &'static str, typed: &str) -> Result<i64> {
    let until = field == "until";
    let read =
        in_the_past(typed).or_else(|| period(typed).map(|(from, to)| if until { to - 1 } else { from }));
    read.ok_or_else(|| {
        Error::field(
            "q",
            format!(
                "There is no day “{typed}”. Write it as 2026-03-31, 2026-03, 2026, or 7d for a week ago."
            ),
        )
    })
}

fn in_the_past(typed: &str) -> Option<i64> {
    if typed.len() >= 12 {
        return typed.parse().ok().filter(|ms| *ms >= 0);
    }
    let days = match typed.strip_suffix(['d', 'w'])?.parse::<i64>().ok()? {
        many @ 0..=36_500 => many * if typed.ends_with('w') { 7 } else { 1 },
        _ => return None,
    };
    Some(now_ms() - days * DAY)
}

/// Where a day, month or year begins, and where the next one does.
fn period(typed: &str) -> Option<(i64, i64)> {
    let mut numbers = typed.split(['-', '/', '.']).map(|part| part.parse::<u16>().ok());
    let year = i32::from(numbers.next()??);
    let (month, day) = (numbers.next(), numbers.next());
    if numbers.next().is_some() || !(1970..=9998).contains(&year) {
        return None;
    }
    let start = |year, month: u8, day: u8| {
        let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
        let moment = OffsetDateTime::new_in_offset(date, Time::MIDNIGHT, UtcOffset::UTC);
        Some(moment.unix_timestamp() * 1000)
    };
    match (month, day) {
        (None, _) => Some((start(year, 1, 1)?, start(year + 1, 1, 1)?)),
        (Some(month), None) => {
            let month = u8::try_from(month?).ok()?;
            let next = if month == 12 { start(year + 1, 1, 1) } else { start(year, month + 1, 1) };
            Some((start(year, month, 1)?, next?))
        }
        (Some(month), Some(day)) => {
            let from = start(year, u8::try_from(month?).ok()?, u8::try_from(day?).ok()?)?;
            Some((from, from + DAY))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_months_and_years_begin_and_end() {
        for (typed, since, until) in [
            ("2026-03-31", 1_774_915_200_000, 1_775_001_599_999),
            ("2026/3", 1_772_323_200_000, 1_775_001_599_999),
            ("2025", 1_735_689_600_000, 1_767_225_599_999),
            ("2025-12", 1_764_547_200_000, 1_767_225_599_999),
        ] {
            assert_eq!(moment("since", typed).ok(), Some(since), "{typed}");
            assert_eq!(moment("until", typed).ok(), Some(until), "{typed}");
        }
        let ago = |typed| moment("since", typed).map_or(0, |at| (now_ms() - at) / DAY);
        assert_eq!((ago("7d"), ago("2w")), (7, 14));
        for wrong in
            ["", "soon", "2026-13", "2026-02-30", "1-2-3-4", "99999", "5x", "-3d", "40000d", "２０２６", "d"]
        {
            assert!(moment("since", wrong).is_err(), "{wrong}");
        }
    }
}
