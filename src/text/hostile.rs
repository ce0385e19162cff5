//! Nothing that anybody types gets through, vanishes or takes long.

use super::{Known, Rendered, render, render_markdown, sentence};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Elements with their attributes that are in `html`, and whether each is closed where it must be.
fn check(html: &str) {
    const VOID: [&str; 2] = ["br", "hr"];
    let mut open = Vec::new();
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a tag that ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{html}");
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(
            [
                "a",
                "blockquote",
                "br",
                "code",
                "del",
                "em",
                "hr",
                "li",
                "ol",
                "p",
                "pre",
                "span",
                "strong",
                "table",
                "tbody",
                "td",
                "th",
                "thead",
                "tr",
                "ul"
            ]
            .contains(&name),
            "{tag}"
        );
        for attribute in attributes.split("\" ").filter(|attribute| !attribute.is_empty()) {
            let (key, value) = attribute.split_once("=\"").expect("a quoted value");
            let good = match key {
                "href" => ["http://", "https://", "mailto:"]
                    .iter()
                    .any(|scheme| value.to_lowercase().starts_with(scheme)),
                "class" => value.trim_end_matches('"').split(' ').all(|class| class.starts_with("hb-")),
                "rel" | "target" | "start" | "data-name" | "data-language" => true,
                _ => false,
            };
            assert!(good, "{tag}");
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty() && open.len() < 20, "{html}");
}

fn checked(text: &str) -> Rendered {
    let started = Instant::now();
    let rendered = render(text);
    // Some 10 ms in a build without optimisation on a quiet machine; what explodes takes minutes.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?} for {:.80}", started.elapsed(), text);
    let html = rendered.html.as_deref().unwrap_or_default();
    assert!(html.len() < 200_000, "{} bytes", html.len());
    check(html);
    rendered
}

/// A piece, and how often it is repeated.
const REPEATED: [(&str, usize); 36] = [
    (">", 10_000),
    ("> ", 8_000),
    ("[", 4_000),
    ("[a](", 1_000),
    ("![[]()", 600),
    ("- ", 2_000),
    ("*a ", 1_300),
    ("**a *b ", 500),
    ("a**b", 1_000),
    ("_a __b ", 500),
    ("`", 4_000),
    ("<", 4_000),
    ("<a ", 1_300),
    ("<!--", 1_000),
    ("&", 4_000),
    ("\\", 4_000),
    ("@a", 2_000),
    ("@陳", 2_000),
    (":a", 2_000),
    (":tada:", 600),
    ("https://a", 400),
    ("https://a ", 400),
    ("((((", 1_000),
    ("[a]:", 1_000),
    ("[\n", 2_000),
    ("1. ", 1_300),
    ("~~a", 1_300),
    ("|", 4_000),
    ("a```\n", 800),
    ("\u{202E}\u{FDD0}0\u{FDD1}\u{FDD4}\u{0B}", 500),
    ("🎉", 4_000),
    ("**：a", 1_000),
    ("> a\n>> b\n", 400),
    ("- a\nb\n", 600),
    ("mailto:", 570),
    ("</", 2_000),
];

#[test]
fn hostile_texts_take_no_time_and_leave_nothing_behind() {
    for (piece, count) in REPEATED {
        checked(&piece.repeat(count));
    }
    let wide = format!("{}\n{}\n{}", "|a".repeat(1000), "|-".repeat(1000), "|\n".repeat(1000));
    let deep = (0..90).fold(String::new(), |deep, n| deep + &"  ".repeat(n) + "- a\n");
    for text in [
        format!("{} a", ">".repeat(10_000)),
        format!("{}a", "- ".repeat(1_999)),
        (1..88).map(|n| "`".repeat(n) + " ").collect(),
        format!("@{}", "陳".repeat(3_999)),
        format!("```js\n{}", "\"".repeat(3_990)),
        format!("```rust\n{}", "/*".repeat(1_990)),
        format!("```html\n{}", "<a '".repeat(990)),
        wide,
        deep,
    ] {
        checked(&text);
    }
}

#[test]
fn a_text_beyond_all_bounds_is_plain() {
    let rendered = checked(&"*a* @ann ".repeat(5_000));
    assert_eq!((rendered.html, rendered.mentions), (None, vec!["ann".to_owned()]));
}

/// What Markdown is made of, and what it stumbles over, with a § between each two.
const PIECES: &str = "a§B§1§ §  §    §\n§\n\n§\t§*§**§_§__§~§~~§`§```§```js\n§> §>§- §1. §2026. §# §#§[§]§(§)§](\
    §](https://a.org)§![§<§>§</p>§<script>§<b onclick=x>§<!--§&amp;§&§\\§|§\n|-|-|\n§---§\n---\n§===§@§@ann§@all§:\
    §:tada:§👍§陳§：§「§https://a.org/§http://§mailto:a@b§javascript:alert(1)§\"§'§]:§[x]§\u{202E}§\u{FDD0}§\u{FDD1}\
    §\u{FDD4}§\u{0}§\u{B}§\u{A0}§é§\r";

fn markdown() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES.split('§').collect::<Vec<_>>());
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Letters and digits, as many as there are of each.
fn letters(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters
}

/// The text of a piece of our own HTML, with its addresses and languages.
fn words(html: &str) -> String {
    let mut words = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        words += before;
        let (tag, after) = tag.split_once('>').unwrap_or_default();
        for key in ["href=\"", "start=\"", "data-language=\""] {
            words += tag.split_once(key).and_then(|(_, value)| value.split('"').next()).unwrap_or_default();
        }
        rest = after;
    }
    words + rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_sentence_is_what_the_whole_way_makes_of_it(text in "[@a-zA-ZÀ-ɏА-я一-龥ぁ-ヿ가-힣 ][@#a-zA-Z0-9À-ɏ一-龥 ,.;?!'\"，。、！？]{0,60}") {
        let known = Known { is_person: &|_| true, is_channel: &|_| true, recording: Some("/media/1") };
        prop_assume!(sentence::is_one(&text));
        prop_assert_eq!(render_markdown(&text, known), Rendered::default());
    }

    #[test]
    fn any_text_becomes_good_html(text in "\\PC{0,400}") {
        checked(&text);
    }

    #[test]
    fn any_markdown_becomes_good_html_and_loses_no_letter(text in markdown()) {
        let rendered = checked(&text);
        if let Some(html) = rendered.html {
            // Names of emoji and numbers of lists are what Markdown may take.
            let typed = text.replace(":tada:", "🎉");
            let shown = words(&html).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&nbsp;", " ");
            for letter in letters(&typed) {
                if !letter.is_ascii_digit() && letter != 'x' {
                    prop_assert!(shown.contains(letter), "{letter} of {text:?} is not in {html}");
                }
            }
        }
    }
}
