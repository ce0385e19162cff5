//! Beginnings that very many words of a segment share, indexed like words. Whoever searches while still typing would
//! otherwise have each of those words read.

use super::bits::Bits;
use super::segment::Placed;

/// No word begins with it.
const MARK: char = '^';
/// Characters of the shortest beginning that is searched for, and of the longest one that is indexed.
const SHORTEST: usize = 2;
const LONGEST: usize = 8;
/// Rows of the index that may be read for a beginning word by word: a millisecond or two.
const ROWS: usize = 256;

/// The term of a beginning.
pub fn term(beginning: &str) -> String {
    format!("{MARK}{beginning}")
}

/// Whether a term is that of a beginning.
pub fn is_beginning(term: &str) -> bool {
    term.starts_with(MARK)
}

/// The beginnings that need a term, each with the documents in which a word begins so. `words` ascend.
pub fn shared(words: &[Placed]) -> Vec<(&str, Bits)> {
    let mut found = Vec::new();
    // Terms of authors begin with a sign, and nobody types the beginning of one.
    let plain = words.chunk_by(|a, b| is_plain(&a.word) == is_plain(&b.word));
    for words in plain.filter(|words| words.first().is_some_and(|first| is_plain(&first.word))) {
        look(words, SHORTEST, &mut found);
    }
    found
}

fn is_plain(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn look<'a>(words: &'a [Placed], length: usize, found: &mut Vec<(&'a str, Bits)>) {
    if length > LONGEST {
        return;
    }
    for alike in
        words.chunk_by(|a, b| head(&a.word, length).is_some_and(|h| Some(h) == head(&b.word, length)))
    {
        let rows: usize = alike.iter().map(|placed| placed.parts.len()).sum();
        let Some(beginning) = alike.first().and_then(|first| head(&first.word, length)) else { continue };
        if alike.len() > 1 && rows > ROWS {
            let mut documents = Bits::default();
            for (_, document) in alike.iter().flat_map(|placed| &placed.places) {
                documents.insert(*document);
            }
            found.push((beginning, documents));
            look(alike, length + 1, found);
        }
    }
}

/// So many characters of a word; none of a shorter one.
fn head(word: &str, length: usize) -> Option<&str> {
    let last = word.char_indices().nth(length - 1);
    last.map(|(at, c)| &word[..at + c.len_utf8()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(word: String, document: u32) -> Placed {
        Placed::new(word, vec![(1, document)])
    }

    #[test]
    fn only_what_very_many_words_begin_with_gets_a_term() {
        let mut words: Vec<Placed> = (0u32..300).map(|n| placed(format!("w1{n:03}"), n)).collect();
        words.extend((0u32..200).map(|n| placed(format!("x{n:03}"), n)));
        words.extend((0u32..300).map(|n| placed(format!("@10{n:03}"), n)));
        words.extend((0u32..300).map(|n| placed(format!("願{n:03}"), n)));
        words.sort_by(|a, b| a.word.cmp(&b.word));
        let found: Vec<(&str, usize)> =
            shared(&words).into_iter().map(|(word, bits)| (word, bits.count())).collect();
        assert_eq!(found, [("w1", 300)]);
    }

    #[test]
    fn a_beginning_is_counted_in_characters() {
        assert_eq!(head("où", 2), Some("où"));
        assert_eq!(head("où", 3), None);
    }
}
