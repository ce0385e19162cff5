//! Captions as files: WebVTT (W3C) and SubRip are read strictly, and written as WebVTT from what was understood alone.
//!
//! Style sheets, regions and notes are left out: they belong to the file's own page, not to this one.

use crate::error::{Error, Result};
use crate::text::is_blank;
use std::fmt::Write as _;

/// Bytes of a file: a day of talking has fewer.
pub const BYTES_MAX: usize = 2 * 1024 * 1024;
/// Captions of one file.
const CUES_MAX: usize = 20_000;
/// Characters of one caption.
const TEXT_MAX: usize = 2_000;

/// What is read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cue {
    /// ms
    pub start: i64,
    /// ms, after the start.
    pub end: i64,
    /// Where it stands, as WebVTT writes it.
    settings: String,
    /// With the marks of WebVTT.
    payload: String,
}

impl Cue {
    /// What is read, in one line, without marks.
    pub fn text(&self) -> String {
        let mut plain = String::with_capacity(self.payload.len());
        let mut rest = self.payload.as_str();
        while let Some((before, mark)) = rest.split_once('<') {
            plain.push_str(before);
            rest = mark.split_once('>').map_or("", |(_, after)| after);
        }
        plain.push_str(rest);
        for (mark, letter) in
            [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&lrm;", ""), ("&rlm;", ""), ("&amp;", "&")]
        {
            plain = plain.replace(mark, letter);
        }
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Reads a file of captions, in the order of time.
///
/// # Errors
/// `Invalid` for the field `file`, naming the first line that is wrong; `TooLarge`.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>> {
    if bytes.len() > BYTES_MAX {
        return Err(too_large());
    }
    let wrong = |words: &'static str| Error::field("file", words);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| wrong("Save the captions as UTF-8 text, and send them again."))?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    if text.contains('\0') {
        return Err(wrong("Save the captions as UTF-8 text, and send them again."));
    }
    let is_vtt = text
        .strip_prefix("WEBVTT")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', ' ', '\t']));
    let mut cues = Vec::new();
    for (number, block) in blocks(&text).into_iter().skip(usize::from(is_vtt)) {
        if is_vtt && is_aside(&block) {
            continue;
        }
        if let Some(cue) = cue(number, &block, is_vtt)? {
            cues.push(cue);
        }
        if cues.len() > CUES_MAX {
            return Err(wrong("A file has at most 20,000 captions."));
        }
    }
    if cues.is_empty() {
        return Err(wrong("There are no captions in this file. It is to be WebVTT (.vtt) or SubRip (.srt)."));
    }
    cues.sort_by_key(|cue| cue.start);
    Ok(cues)
}

/// A file of more bytes than are read.
pub fn too_large() -> Error {
    Error::TooLarge("A file of captions has at most 2 MB.".into())
}

/// Writes them as WebVTT.
pub fn write(cues: &[Cue]) -> String {
    let mut out = String::from("WEBVTT\n");
    for Cue { start, end, settings, payload } in cues {
        let gap = if settings.is_empty() { "" } else { " " };
        // Writing to a text doesn't fail.
        let _ = write!(out, "\n{} --> {}{gap}{settings}\n{payload}\n", stamp(*start), stamp(*end));
    }
    out
}

/// A moment as WebVTT writes it, `01:02:03.004`; from ms.
pub fn stamp(ms: impl Into<i128>) -> String {
    let ms = ms.into();
    format!("{:02}:{:02}:{:02}.{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

/// Lines between empty ones, each with the number of its first line, from 1.
fn blocks(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut all: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.split('\n').enumerate() {
        let blank = line.trim().is_empty();
        match all.last_mut() {
            Some((_, block)) if is_open && !blank => block.push(line),
            _ if !blank => all.push((number + 1, vec![line])),
            _ => {}
        }
        is_open = !blank;
    }
    all
}

/// Whether it is a block that isn't shown.
fn is_aside(block: &[&str]) -> bool {
    ["NOTE", "STYLE", "REGION"].iter().any(|word| {
        block[0].strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    }) && !block[0].contains("-->")
}

/// One caption; nothing for one without words.
fn cue(number: usize, block: &[&str], is_vtt: bool) -> Result<Option<Cue>> {
    let timed = usize::from(!block[0].contains("-->"));
    let line = number + timed;
    let wrong = || {
        Error::field(
            "file",
            format!("Line {line} is to say when a caption is shown, as 00:01:02.000 --> 00:01:04.500."),
        )
    };
    let timing = block.get(timed).ok_or_else(wrong)?;
    let (start, rest) = timing.split_once("-->").ok_or_else(wrong)?;
    let mut rest = rest.split_whitespace();
    let end = rest.next().and_then(|end| moment(end, is_vtt)).ok_or_else(wrong)?;
    let start = moment(start.trim(), is_vtt).ok_or_else(wrong)?;
    if end <= start {
        return Err(Error::field("file", format!("The caption at line {line} ends before it begins.")));
    }
    let words: Vec<&str> = block[timed + 1..].iter().map(|line| line.trim_end()).collect();
    if words.iter().any(|line| line.contains("-->")) {
        return Err(Error::field(
            "file",
            format!("After the caption at line {line} an empty line is missing."),
        ));
    }
    let payload = if is_vtt { words.join("\n") } else { plain(&words.join("\n")) };
    if payload.chars().count() > TEXT_MAX {
        return Err(Error::field(
            "file",
            format!("The caption at line {line} is longer than 2,000 characters."),
        ));
    }
    let settings =
        if is_vtt { rest.filter(|one| is_setting(one)).collect::<Vec<_>>().join(" ") } else { String::new() };
    let cue = Cue { start, end, settings, payload };
    Ok((!is_blank(&cue.text())).then_some(cue))
}

/// `01:02:03.004` or `02:03.004`, with a comma in SubRip; ms.
fn moment(text: &str, is_vtt: bool) -> Option<i64> {
    let (clock, thousandths) =
        text.split_once(if is_vtt { '.' } else { ',' }).or_else(|| text.split_once('.'))?;
    let number = |part: &str, digits: std::ops::RangeInclusive<usize>| -> Option<i64> {
        let fits = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if fits { part.parse().ok() } else { None }
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes, seconds] => {
            (number(hours, 1..=4)?, number(minutes, 2..=2)?, number(seconds, 2..=2)?)
        }
        [minutes, seconds] if is_vtt => (0, number(minutes, 2..=2)?, number(seconds, 2..=2)?),
        _ => return None,
    };
    let thousandths = number(thousandths, 3..=3)?;
    (minutes < 60 && seconds < 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths)
}

/// A setting of a caption's place, WebVTT section 3.2.
fn is_setting(text: &str) -> bool {
    let Some((name, value)) = text.split_once(':') else { return false };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.%,".contains(c);
    matches!(name, "vertical" | "line" | "position" | "size" | "align")
        && !value.is_empty()
        && value.len() <= 40
        && value.chars().all(fits)
}

/// The words of SubRip as WebVTT writes them: emphasis stays, colours and places of other programs go.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kept = ["<i>", "</i>", "<b>", "</b>", "<u>", "</u>"].into_iter();
        if let Some(mark) =
            kept.into_iter().find(|mark| rest.get(..mark.len()).is_some_and(|m| m.eq_ignore_ascii_case(mark)))
        {
            out.push_str(mark);
            rest = &rest[mark.len()..];
            continue;
        }
        let gone = match c {
            '<' => rest.find('>').filter(|_| {
                let name = rest[1..].trim_start_matches('/');
                name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("font"))
            }),
            '{' => rest.find('}').filter(|_| rest[1..].starts_with('\\')),
            _ => None,
        };
        if let Some(end) = gone {
            rest = &rest[end + 1..];
            continue;
        }
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn webvtt_is_written_anew_from_what_was_understood() {
        let file = "\u{FEFF}WEBVTT - Choir\r\nKind: captions\r\n\r\nNOTE of the maker\r\n\r\nSTYLE\r\n::cue { background: url(http://x) }\r\n\r\nsecond\r\n01:00.500 --> 01:02.000 line:0 onclick:x align:start\r\n<v Ann>&lt;Hello&gt; <i>all</i>\r\nof you\r\n\r\n00:00:01.000 --> 00:00:02.500\r\n你好\r\n";
        let cues = read(file.as_bytes()).unwrap();
        assert_eq!(
            write(&cues),
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n你好\n\n00:01:00.500 --> 00:01:02.000 line:0 align:start\n<v Ann>&lt;Hello&gt; <i>all</i>\nof you\n"
        );
        assert_eq!(cues[1].text(), "<Hello> all of you");
        assert_eq!(read(write(&cues).as_bytes()).unwrap(), cues);
    }

    #[test]
    fn subrip_becomes_webvtt() {
        let file = "1\n00:00:01,000 --> 00:00:02,500\n<I>Tea</i> & {\\an8}<font color=\"red\">cake</font> < 3\n\n2\n00:00:03,000 --> 00:00:04,000\n夜曲\n";
        let cues = read(file.as_bytes()).unwrap();
        assert_eq!(cues[0].payload, "<i>Tea</i> &amp; cake &lt; 3");
        assert_eq!(cues[0].text(), "Tea & cake < 3");
        assert!(write(&cues).starts_with("WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        for (file, words) in [
            ("", "no captions"),
            ("WEBVTT\n", "no captions"),
            ("Hello\nworld", "Line 2"),
            ("WEBVTT\n\n00:00:01.000 -> 00:00:02.000\nx", "Line 4"),
            ("WEBVTT\n\n00:00:02.000 --> 00:00:01.000\nx", "line 3 ends"),
            ("WEBVTT\n\n00:61.000 --> 01:02.000\nx", "Line 3"),
            ("WEBVTT\n\n00:00:01.00 --> 00:00:02.000\nx", "Line 3"),
            ("1\n00:00:01,000 --> 00:00:02,000\nx\n2\n00:00:03,000 --> 00:00:04,000\ny", "an empty line"),
            ("WEBVTT\n\na\0b", "UTF-8"),
        ] {
            assert!(said(file.as_bytes()).contains(words), "{file}: {}", said(file.as_bytes()));
        }
        assert!(said(b"WEBVTT\n\n\xff").contains("UTF-8"));
        assert!(matches!(read(&vec![b'x'; BYTES_MAX + 1]), Err(Error::TooLarge(_))));
        let long = format!("WEBVTT\n\n00:01.000 --> 00:02.000\n{}", "長".repeat(2001));
        assert!(said(long.as_bytes()).contains("2,000 characters"));
    }
}
