//! What is said of an alarm in the stream's talk. It is stored once for readers of every language, so it is in English and
//! short: the rule as its keeper wrote it, the number, who has it, when it was over.

use super::row::Alarm;
use crate::live::view::label;

/// The message about an alarm as it stands now.
pub fn message(alarm: &Alarm) -> String {
    let mut lines = vec![format!("**Alarm:** `{}`", alarm.rule)];
    if !alarm.reading.is_empty() {
        lines.push(format!("{}: **{}**", escaped(&label(&alarm.reading)), escaped(&alarm.value)));
    }
    if let (Some(at), Some(name)) = (alarm.acknowledged_at, &alarm.acknowledged_name) {
        lines.push(format!("Acknowledged by {} after {}", escaped(name), lasted(at - alarm.raised_at)));
    }
    if let Some(at) = alarm.over_at {
        let lasted = lasted(at - alarm.raised_at);
        lines.push(if alarm.retired {
            format!("Its rule was taken away after {lasted}")
        } else {
            format!("Over after {lasted}")
        });
    }
    lines.join("\n")
}

/// What is to be seen in its picture, for those who don't see it; `older` is how many ms before the alarm it came.
pub fn picture(stream: &str, older: i64) -> String {
    if older < 2000 {
        format!("The picture of {stream} at the alarm")
    } else {
        format!("The last picture of {stream}, {} before the alarm", lasted(older))
    }
}

/// `40 s`, `3 min`, `2 h 5 min`, `3 days`
fn lasted(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The words of somebody else, without any meaning for Markdown.
fn escaped(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for c in words.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '#' | '@' | '&' | '|' | ':') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AlarmId, StreamId, UserId};

    #[test]
    fn a_message_says_what_is_known_of_its_alarm() {
        let mut alarm = Alarm {
            id: AlarmId(1),
            stream_id: StreamId(1),
            rule: "beam_energy < 9.5 for 10 s".into(),
            reading: "beam_energy".into(),
            value: "9.31 GeV".into(),
            raised_at: 0,
            over_at: None,
            retired: false,
            acknowledged_at: None,
            acknowledged_by: None,
            acknowledged_name: None,
        };
        assert_eq!(message(&alarm), "**Alarm:** `beam_energy < 9.5 for 10 s`\nbeam energy: **9.31 GeV**");
        alarm.acknowledged_at = Some(40_000);
        alarm.acknowledged_by = Some(UserId(7));
        alarm.acknowledged_name = Some("*Ann* @all".into());
        alarm.over_at = Some(7_500_000);
        assert!(
            message(&alarm).ends_with("Acknowledged by \\*Ann\\* \\@all after 40 s\nOver after 2 h 5 min")
        );
        alarm.retired = true;
        assert!(message(&alarm).ends_with("Its rule was taken away after 2 h 5 min"));
        assert_eq!([lasted(-5), lasted(59_999), lasted(3_600_000)], ["0 s", "59 s", "1 h"]);
    }
}
