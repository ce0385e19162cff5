//! The README's table of settings says what the program says.

use crate::tree;
use hubbub::config::SETTINGS;

/// The rows of the first table whose head starts with `setting`, each as its cells.
fn rows(readme: &str) -> Vec<Vec<String>> {
    let table = readme.lines().skip_while(|line| !line.starts_with("| setting |")).skip(2);
    table
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")).collect())
        .collect()
}

#[test]
fn the_readme_lists_every_setting_with_its_default_and_meaning() {
    let wanted: Vec<Vec<String>> = SETTINGS
        .iter()
        .map(|s| [s.name, s.default, s.meaning].into_iter().map(str::to_owned).collect())
        .collect();
    let lines: Vec<String> =
        SETTINGS.iter().map(|s| format!("| `{}` | `{}` | {} |", s.name, s.default, s.meaning)).collect();
    assert_eq!(rows(&tree::read("README.md")), wanted, "the table should be\n{}\n", lines.join("\n"));
}

#[test]
fn a_changed_cell_would_be_seen() {
    let table =
        "text\n\n| setting | default | meaning |\n|---|---|---|\n| `a` | `1` | what it is |\n\nmore | text";
    assert_eq!(rows(table), [["a", "1", "what it is"]]);
}
