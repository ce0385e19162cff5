//! Chapters that a keeper writes down, one a line: `0:00 Intro`. They take the place of those of the file.

use super::item::Item;
use super::position::read_moment;
use super::prepared::Chapter;
use crate::error::{Error, Result};
use crate::text::{clock, is_blank, is_unruly};

/// Chapters of one item.
const MOST: usize = 300;
/// Characters of a title.
const TITLE_MAX: usize = 200;

/// Reads chapters as they are typed, in any order; empty lines are passed over.
///
/// # Errors
/// `Invalid` for the field `chapters`, naming the first line that is wrong.
pub fn read(typed: &str) -> Result<Vec<Chapter>> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for (number, line) in typed.lines().enumerate().filter(|(_, line)| !is_blank(line)) {
        let line_number = number + 1;
        let wrong = || {
            let line = line_number;
            Error::field("chapters", format!("Line {line} of the chapters is to look like 1:23 Title."))
        };
        let (moment, title) = line.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        // A bare number is more likely the beginning of a title than a moment.
        let start = read_moment(moment).filter(|_| moment.contains(':')).ok_or_else(wrong)?;
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_blank(&title) || title.chars().count() > TITLE_MAX || title.chars().any(is_unruly) {
            return Err(wrong());
        }
        #[expect(clippy::cast_possible_truncation, reason = "a moment has at most seven digits")]
        let start = (start * 1000.0).round() as i64;
        if chapters.iter().any(|known| known.start == start) {
            let time = clock(start);
            return Err(Error::field("chapters", format!("Two chapters begin at {time}.")));
        }
        chapters.push(Chapter { start, title });
    }
    if chapters.len() > MOST {
        return Err(Error::field("chapters", "An item has at most 300 chapters."));
    }
    chapters.sort_by_key(|chapter| chapter.start);
    Ok(chapters)
}

/// As they are typed.
pub fn lines(chapters: &[Chapter]) -> String {
    chapters.iter().map(|one| format!("{} {}", clock(one.start), one.title)).collect::<Vec<_>>().join("\n")
}

/// As they are stored; empty without any.
pub fn stored(chapters: &[Chapter]) -> Result<String> {
    if chapters.is_empty() {
        Ok(String::new())
    } else {
        serde_json::to_string(chapters).map_err(Error::internal)
    }
}

impl Item {
    /// Its chapters: those that were written down, otherwise those of the file.
    pub fn chapters(&self) -> Vec<Chapter> {
        let own = self.own_chapters();
        if own.is_empty() { self.file_chapters() } else { own }
    }

    /// Those that were written down.
    pub fn own_chapters(&self) -> Vec<Chapter> {
        serde_json::from_str(&self.own_chapters).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_in_any_order_and_written_in_that_of_time() {
        let chapters = read("1:02:03  The  end \n\n0:00 前奏\n12:34 Second <b>").unwrap();
        assert_eq!(lines(&chapters), "0:00 前奏\n12:34 Second <b>\n1:02:03 The end");
        let again: Vec<Chapter> = serde_json::from_str(&stored(&chapters).unwrap()).unwrap();
        assert_eq!(again, chapters);
        assert_eq!(stored(&read(" \n ").unwrap()).unwrap(), "");
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (typed, number) in
            [("Intro", 1), ("0:00 A\n83 B", 2), ("0:00", 1), ("0:00 A\n\n1:75 B", 3), ("0:00 \u{202e}x", 1)]
        {
            let said = read(typed).unwrap_err().to_string();
            assert!(said.contains(&format!("Line {number} ")), "{typed}: {said}");
        }
        assert!(read("0:01 A\n00:01 B").unwrap_err().to_string().contains("0:01"));
        let many = (0..301).map(|n| format!("{}:{:02} x", n / 60, n % 60)).collect::<Vec<_>>().join("\n");
        assert!(read(&many).is_err());
    }
}
