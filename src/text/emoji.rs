//! Emoji by their names, and texts that are nothing else.

/// As many emoji stand big; more of them are a text.
const BIG: usize = 12;
/// Bytes of the longest name between two colons, and of the longest emoji, both with something to spare.
const LONGEST: usize = 64;
/// The newest version that the devices of the last years can draw.
const DRAWN: emojis::EmojiVersion = emojis::EmojiVersion::new(15, 1);

/// The emoji that is named at `at`, where a `:` stands, and the bytes that its name takes with both colons.
///
/// A colon inside a word belongs to a time, a path or a ratio.
pub fn at(text: &str, at: usize) -> Option<(usize, &'static str)> {
    if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '/') || text[..at].ends_with("::") {
        return None;
    }
    let (length, emoji) = named(&text[at..])?;
    let rest = &text[at + length..];
    let ends = !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':') || named(rest).is_some();
    ends.then_some((length, emoji))
}

/// The Unicode set for a picker, as JSON: `[[group, [[emoji, name, [code, …]], …]], …]`, in Unicode's order, without skin
/// tones. Newer ones than most devices can draw are left out.
pub fn catalogue() -> String {
    let drawn = |emoji: &&'static emojis::Emoji| emoji.emoji_version() <= DRAWN;
    let groups: Vec<_> = emojis::Group::iter()
        .map(|group| {
            let emoji: Vec<_> = group
                .emojis()
                .filter(drawn)
                .map(|emoji| (emoji.as_str(), emoji.name(), emoji.shortcodes().collect::<Vec<_>>()))
                .collect();
            (format!("{group:?}"), emoji)
        })
        .collect();
    serde_json::to_string(&groups).unwrap_or_else(|_| "[]".to_owned())
}

/// The emoji whose name stands between the colons that `text` begins with.
fn named(text: &str) -> Option<(usize, &'static str)> {
    let rest = text.strip_prefix(':')?;
    let end = rest.bytes().take(LONGEST).position(|b| b == b':')?;
    let emoji = emojis::get_by_shortcode(&rest[..end])?;
    Some((end + 2, emoji.as_str()))
}

/// Whether a text is a few emoji, typed or named, and nothing else.
pub fn is_only(text: &str) -> bool {
    let mut rest = text.trim();
    let mut count = 0;
    while !rest.is_empty() {
        let Some(length) = named(rest).map(|(length, _)| length).or_else(|| typed(rest)) else {
            return false;
        };
        count += 1;
        rest = rest[length..].trim_start();
    }
    (1..=BIG).contains(&count)
}

/// The bytes of the emoji that `text` begins with, the longest one that there is.
fn typed(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    // Below are letters, digits and signs such as ©, which are emoji only with a selector behind them.
    if first < '\u{2190}' && !text[first.len_utf8()..].starts_with('\u{FE0F}') {
        return None;
    }
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|&end| end <= LONGEST);
    ends.filter(|&end| emojis::get(&text[..end]).is_some()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let mut out = String::new();
        let mut rest = 0;
        while rest < text.len() {
            let found = text[rest..].starts_with(':').then(|| at(text, rest)).flatten();
            let (length, words) = found.unwrap_or_else(|| {
                let length = text[rest..].chars().next().map_or(1, char::len_utf8);
                (length, "")
            });
            out += if words.is_empty() { &text[rest..rest + length] } else { words };
            rest += length;
        }
        out
    }

    #[test]
    fn names_between_colons_become_emoji() {
        assert_eq!(expanded("yes :tada: :+1:"), "yes 🎉 👍");
        assert_eq!(expanded(":tada::heart:!"), "🎉❤️!");
        assert_eq!(expanded("好:tada:"), "好🎉");
        for text in [
            "10:30:45",
            "a::b::c",
            "1:b:2",
            ":nosuchname:",
            ":)",
            "::",
            "std::b::x",
            "http://b:b:b",
            ":tada:s",
        ] {
            assert_eq!(expanded(text), text);
        }
    }

    #[test]
    fn the_catalogue_has_every_group_with_names_and_codes() {
        let groups: serde_json::Value = serde_json::from_str(&catalogue()).unwrap();
        assert_eq!(groups.as_array().unwrap().len(), 9);
        assert_eq!(groups[0][0], "SmileysAndEmotion");
        assert_eq!(groups[0][1][0], serde_json::json!(["😀", "grinning face", ["grinning"]]));
        assert!(
            groups.as_array().unwrap().iter().map(|group| group[1].as_array().unwrap().len()).sum::<usize>()
                > 1500
        );
    }

    #[test]
    fn a_few_emoji_alone_are_told_from_a_text() {
        for text in ["🎉", "👩🏿‍❤️‍👨🏼 🎉", ":tada:", "❤", "🇹🇼🇩🇪", "1️⃣", "👍🏽\n👍"]
        {
            assert!(is_only(text), "{text}");
        }
        let many = "🎉".repeat(13);
        for text in ["", " ", "a", "🎉!", "1", "12", "©", ":)", "🎉 :nosuchname:", &many] {
            assert!(!is_only(text), "{text}");
        }
    }
}
