//! What the build collects for the catalogue of `locales/`: nothing that people are told may be missed.

#[path = "../../build/sentences.rs"]
#[allow(dead_code, reason = "the build script uses all of it")]
mod sentences;

fn rust(source: &str) -> Vec<String> {
    sentences::of_rust(source).into_iter().map(|found| found.sentence).collect()
}

#[test]
fn a_whole_sentence_in_rust_is_found_wherever_it_stands() {
    for (source, found) in [
        ("Error::NotFound(\"There is no such room.\")", vec!["There is no such room."]),
        ("shell(t(\"Log in\"), \"/login\")", vec!["Log in"]),
        ("format!(\"At most {MAX} characters are taken.\")", vec!["At most {MAX} characters are taken."]),
        ("let s = \"One line \\\n    that goes on.\";", vec!["One line that goes on."]),
        ("#[error(\"Sign in first.\")] SignInFirst,", vec!["Sign in first."]),
        ("// Says \"Nothing is said here.\"\nfn f<'a>(c: char) { c == '\"' }", vec![]),
        (
            "#[cfg(test)]\nmod tests { fn f() { g(\"This is only a test.\") } }\nf(\"This is not.\")",
            vec!["This is not."],
        ),
        ("#[openapi(description = \"For programs alone.\")] struct Api;", vec![]),
        ("r#\"Raw \"texts\" say nothing.\"#; b\"Bytes say nothing.\"", vec![]),
        ("tracing::warn!(\"a place was not stored\")", vec![]),
    ] {
        assert_eq!(rust(source), found, "{source}");
    }
}

#[test]
fn templates_and_scripts_name_their_sentences() {
    assert_eq!(
        sentences::of_template(
            "<p title=\"{{ \"New notes\"|t }}\">{{ \"Hi {n}\"|t|with(\"n\", x) }}{{ a|title }}"
        ),
        ["New notes", "Hi {n}"]
    );
    assert_eq!(
        sentences::of_script("say(t(\"It's {n}\", { n })); import(\"x\"); let b = t( 'Don\\'t'); at('no')"),
        ["It's {n}", "Don't"]
    );
}

#[test]
fn bare_words_of_a_template_are_noticed() {
    for bare in
        ["<p>Hello</p>", "<a title=\"Go on\">{{ x }}</a>", "<b aria-label=\"{% if a %}Yes{% endif %}\"></b>"]
    {
        assert!(!sentences::bare_words(bare).is_empty(), "{bare}");
    }
    for fine in [
        "<p>{{ \"Hello\"|t }} · 3</p>",
        "{% block kind %}content-talk{% endblock %}",
        "<b>Hubbub</b>",
        "<input name=\"title\">",
    ] {
        assert!(sentences::bare_words(fine).is_empty(), "{fine}");
    }
}
