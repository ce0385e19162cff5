//! Makes the languages of `locales/` part of the program, and refuses to build when one of them lacks a sentence
//! that somebody is told, or keeps one that nobody is told any more.

#[path = "build/sentences.rs"]
mod sentences;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What is said, and where it was found first.
#[derive(Default)]
struct Said {
    places: BTreeMap<String, String>,
    /// Said by scripts, or said whole by the server, so that a script can come to show it.
    in_scripts: BTreeSet<String>,
}

fn main() -> Outcome {
    for watched in ["build.rs", "build", "locales", "migrations", "src", "static/js", "templates"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let said = collect()?;
    let mut languages = String::new();
    let mut complaints = Vec::new();
    for path in files("locales", "toml")? {
        let code = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let locale: toml::Table = fs::read_to_string(&path)?.parse()?;
        let words = words_of(&locale, &path)?;
        if code != "en" {
            complaints.extend(compare(&said, &words, &path));
        }
        languages.push_str(&language(&code, &locale, &words, &said, &path)?);
    }
    for complaint in &complaints {
        println!("cargo::error={complaint}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?).join("languages.rs");
    fs::write(out, format!("pub static LANGUAGES: &[Language] = &[\n{languages}];\n"))?;
    Ok(())
}

fn collect() -> Outcome<Said> {
    let mut said = Said::default();
    let mut note = |sentence: String, path: &Path, in_scripts: bool| {
        if in_scripts {
            said.in_scripts.insert(sentence.clone());
        }
        said.places.entry(sentence).or_insert_with(|| path.display().to_string());
    };
    for path in files("src", "rs")?.iter().filter(|path| sentences::speaks_to_people(path)) {
        for found in sentences::of_rust(&fs::read_to_string(path)?) {
            note(found.sentence, path, found.whole);
        }
    }
    for path in files("templates", "html")? {
        let source = fs::read_to_string(&path)?;
        if let Some(words) = sentences::bare_words(&source).first() {
            return Err(format!("{}: “{words}” is said without |t.", path.display()).into());
        }
        for sentence in sentences::of_template(&source) {
            note(sentence, &path, false);
        }
    }
    for path in files("static/js", "js")? {
        for sentence in sentences::of_script(&fs::read_to_string(&path)?) {
            note(sentence, &path, true);
        }
    }
    Ok(said)
}

/// All files below `folder` that end in `.extension`, in order.
fn files(folder: &str, extension: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn words_of(locale: &toml::Table, path: &Path) -> Outcome<BTreeMap<String, String>> {
    let Some(table) = locale.get("words") else { return Ok(BTreeMap::new()) };
    let table = table.as_table().ok_or_else(|| format!("{}: [words] is a table", path.display()))?;
    let text = |(sentence, words): (&String, &toml::Value)| match words.as_str() {
        Some(words) if !words.is_empty() => Ok((sentence.clone(), words.to_owned())),
        _ => Err(format!("{}: “{sentence}” has no words", path.display()).into()),
    };
    table.iter().map(text).collect()
}

fn compare(said: &Said, words: &BTreeMap<String, String>, path: &Path) -> Vec<String> {
    let path = path.display();
    let mut complaints = Vec::new();
    for (sentence, place) in &said.places {
        match words.get(sentence) {
            None => complaints.push(format!("{path} lacks (said in {place}): {sentence:?} = \"\"")),
            Some(words) if sentences::blanks(words) != sentences::blanks(sentence) => {
                complaints.push(format!("{path}: {sentence:?} and its words have different blanks"));
            }
            Some(_) => {}
        }
    }
    for sentence in words.keys().filter(|sentence| !said.places.contains_key(*sentence)) {
        complaints.push(format!("{path} keeps what nobody says any more: {sentence:?}"));
    }
    complaints
}

/// One `Language { … }` of the generated table.
fn language(
    code: &str,
    locale: &toml::Table,
    words: &BTreeMap<String, String>,
    said: &Said,
    path: &Path,
) -> Outcome<String> {
    let about = |name: &str| {
        let value = locale.get("language").and_then(|table| table.get(name)).and_then(toml::Value::as_str);
        value.ok_or_else(|| format!("{}: [language] lacks {name}", path.display()))
    };
    let mut out = format!("Language {{ code: {code:?}, ");
    for name in ["name", "short", "date", "exact"] {
        write!(out, "{name}: {:?}, ", about(name)?)?;
    }
    writeln!(out, "words: &[")?;
    let mut script = "export default {\n".to_owned();
    for (sentence, words) in words {
        writeln!(out, "({sentence:?}, {words:?}),")?;
        if said.in_scripts.contains(sentence) {
            writeln!(script, "{sentence:?}: {words:?},")?;
        }
    }
    script.push_str("};\n");
    writeln!(out, "], script: {script:?} }},")?;
    Ok(out)
}
