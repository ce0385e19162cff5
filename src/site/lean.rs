//! Scripts as browsers get them: without the lines that only explain, which are a third of them.

/// A script without comments that begin a line; what remains keeps its line, so that what goes wrong is found in the source.
///
/// Nothing else is touched. Ours have no template literal of more than one line, in which one could look like a comment.
pub fn lean(script: &str) -> String {
    let (mut kept, mut is_inside) = (String::with_capacity(script.len()), false);
    for line in script.split_inclusive('\n') {
        let begun = line.trim_start();
        let is_block = is_inside || begun.starts_with("/*");
        match begun.split_once("*/") {
            Some((_, rest)) if is_block => {
                is_inside = false;
                kept.push_str(rest);
            }
            None if is_block => {
                is_inside = true;
                kept.push('\n');
            }
            _ if begun.starts_with("//") => kept.push('\n'),
            _ => kept.push_str(line),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    #[test]
    fn only_comments_that_begin_a_line_go_and_lines_stay_where_they_are() {
        let script = "/**\n * Says.\n * @param {string} a\n */\nexport function say(a) {\n  // why\n  /** @type {any} */ const b = a; // stays\n\n  return `http://x/${b}`; /* stays */\n}\n/* one */\n";
        let left = "\n\n\n\nexport function say(a) {\n\n const b = a; // stays\n\n  return `http://x/${b}`; /* stays */\n}\n\n";
        assert_eq!(lean(script), left);
        assert_eq!(lean("a;"), "a;");
    }

    fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                scripts(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "js") {
                found.push(path);
            }
        }
    }

    #[test]
    fn nothing_of_our_scripts_but_comments_goes() {
        let mut found = Vec::new();
        scripts(Path::new("static/js"), &mut found);
        assert!(found.len() > 50);
        for path in found {
            let source = std::fs::read_to_string(&path).unwrap();
            let kept = lean(&source);
            for (number, line) in (1..).zip(kept.lines()) {
                // A literal that went on in the next line could have one there that looks like a comment. An expression
                // that looks for the sign isn't one.
                let is_open =
                    line.matches('`').count() % 2 == 1 && !line.contains("(/") && !line.contains("= /");
                assert!(!is_open, "{} {number}: {line}", path.display());
            }
            assert_eq!(source.lines().count(), kept.lines().count(), "{}", path.display());
        }
    }
}
