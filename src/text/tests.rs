//! What a message's words come to.

use super::{Known, Rendered, render, render_for};

fn html(text: &str) -> String {
    render(text).html.unwrap_or_default()
}

const LINK: &str = "target=\"_blank\" rel=\"noopener noreferrer nofollow ugc\"";

#[test]
fn markdown_looks_as_people_type_it() {
    for (text, expected) in [
        (
            "a *b* **c** ~~d~~ `e` _f_",
            "<p>a <em>b</em> <strong>c</strong> <del>d</del> <code>e</code> <em>f</em></p>",
        ),
        ("*a*\nb", "<p><em>a</em><br>b</p>"),
        ("# a\nb", "<p><strong>a</strong></p><p>b</p>"),
        ("> a\nb", "<blockquote><p>a</p></blockquote><p>b</p>"),
        (">> a\n> b", "<blockquote><blockquote><p>a</p></blockquote><p>b</p></blockquote>"),
        ("a:\n- b\n- c\nd", "<p>a:</p><ul><li>b</li><li>c</li></ul><p>d</p>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("3) a", "<ol start=\"3\"><li>a</li></ol>"),
        ("- a\n  - b", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("- [x] a\n- [ ] b", "<ul><li>☑ a</li><li>☐ b</li></ul>"),
        ("**a**\n---\nb", "<p><strong>a</strong></p><hr><p>b</p>"),
        (
            "a | b\n--|-:\n1 | 2",
            "<table><thead><tr><th>a</th><th class=\"hb-right\">b</th></tr></thead><tbody><tr><td>1</td><td class=\"hb-right\">2</td></tr></tbody></table>",
        ),
        // A cell too many would vanish, so that is no table; one too few is.
        ("**a** | b\n--|-\n1 | 2 | 3", "<p><strong>a</strong> | b<br>--|-<br>1 | 2 | 3</p>"),
        (
            "| a | b |\n|--|-|\n| 1 \\| 2 |",
            "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1 | 2</td><td></td></tr></tbody></table>",
        ),
        ("**重點：**內容", "<p><strong>重點：</strong>內容</p>"),
        ("請看**「重點」**喔", "<p>請看<strong>「重點」</strong>喔</p>"),
        ("（**重點**）", "<p>（<strong>重點</strong>）</p>"),
        ("這是*重點*喔", "<p>這是<em>重點</em>喔</p>"),
        ("\\*a\\*", "<p>*a*</p>"),
        ("**a** & <b> &lt;", "<p><strong>a</strong> &amp; &lt;b&gt; &amp;lt;</p>"),
    ] {
        assert_eq!(html(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_markdown_stays_as_typed() {
    for text in [
        "hello",
        "a\nb\n\n  c",
        "snake_case_words and __",
        "2 * 3 * 4",
        "2*3*4",
        ":)",
        ":(",
        ">:(",
        ">_<",
        "1. ",
        "-",
        "*",
        ">",
        "---",
        "2026. What a year",
        "+ 1",
        "-5 degrees",
        "~hi~ and ~5 min",
        "¯\\_(ツ)_/¯",
        "C:\\dir\\_x_",
        "<b>a</b>",
        "<script>alert(1)</script>",
        "<div>\n<i>",
        "&amp; &lt;",
        "[10:31]: late",
        "[ann]: https",
        "a\n===",
        "a\n--",
        "#lab",
        "# ",
        "#1 and #2",
        "    indented",
        "\tx < y",
        "[a](b)",
        "[a](javascript:alert(1))",
        "![a](data:image/png;base64,x)",
        "[a",
        "a]",
        "**",
        "* *",
        "` `",
        "a b** c",
        "10:30:45",
        "std::a::b",
        "ann@example.org",
        "path\\",
        "***",
        "===",
        "~~~ hi ~~~",
        "{\"a\": 1}",
        "a | b",
        "~/.bashrc and ~/bin",
    ] {
        assert_eq!(render(text).html, None, "{text}");
    }
}

#[test]
fn addresses_become_links() {
    let link = |address: &str| format!("<a href=\"{address}\" {LINK}>{address}</a>");
    for (text, expected) in [
        ("https://a.org/b_c_d/_e_/*f*g", format!("<p>{}</p>", link("https://a.org/b_c_d/_e_/*f*g"))),
        ("see https://a.org.", format!("<p>see {}.</p>", link("https://a.org"))),
        ("看https://a.org/b這裡", format!("<p>看{}這裡</p>", link("https://a.org/b"))),
        ("**https://a.org**", format!("<p><strong>{}</strong></p>", link("https://a.org"))),
        ("(https://a.org/x_(y))", format!("<p>({})</p>", link("https://a.org/x_(y)"))),
        ("<https://a.org/中>", format!("<p>{}</p>", link("https://a.org/中"))),
        ("mailto:ann@example.org", format!("<p>{}</p>", link("mailto:ann@example.org"))),
        (
            "[b](https://a.org/?x=1&y=2)",
            format!("<p><a href=\"https://a.org/?x=1&amp;y=2\" {LINK}>b</a></p>"),
        ),
        ("[*b*](https://a.org)", format!("<p><a href=\"https://a.org\" {LINK}><em>b</em></a></p>")),
        ("[https://a.org](https://a.org)", format!("<p>{}</p>", link("https://a.org"))),
        (
            "[https://bank.org](https://a.org)",
            format!("<p>[https://bank.org]({})</p>", link("https://a.org")),
        ),
        ("![b](https://a.org/c.png)", format!("<p><a href=\"https://a.org/c.png\" {LINK}>b</a></p>")),
        ("`https://a.org`", "<p><code>https://a.org</code></p>".into()),
    ] {
        assert_eq!(html(text), expected, "{text}");
    }
    assert_eq!(render("xhttps://a.org").html, None);
}

#[test]
fn code_is_kept_as_it_is() {
    let block =
        |language: &str, code: &str| format!("<pre class=\"hb-code\"{language}><code>{code}</code></pre>");
    for (text, expected) in [
        (
            "```\n<b> & *a*\n\n  https://a.org @ann :tada:\n```",
            block("", "&lt;b&gt; &amp; *a*\n\n  https://a.org @ann :tada:"),
        ),
        ("```\na", block("", "a")),
        ("```\na```", block("", "a")),
        ("x ```\na\n``` y", format!("<p>x</p>{}", block("", "a\n``` y"))),
        (
            "x:\n```\n> a\n- b\n[c]: d\n```\n**y**",
            format!("<p>x:</p>{}<p><strong>y</strong></p>", block("", "&gt; a\n- b\n[c]: d")),
        ),
        ("```let x = 1;\ny```", block("", "let x = 1;\ny")),
        ("> ```\n> a\n> ```\nb", format!("<blockquote>{}</blockquote><p>b</p>", block("", "a"))),
        ("```js\nlet a\n```", block(" data-language=\"js\"", "<span class=\"hb-word\">let</span> a")),
        (
            "`a*b*c` `<b>` `&amp;` `C:\\*`",
            "<p><code>a*b*c</code> <code>&lt;b&gt;</code> <code>&amp;amp;</code> <code>C:\\*</code></p>"
                .into(),
        ),
    ] {
        assert_eq!(html(text), expected, "{text}");
    }
}

#[test]
fn mentions_are_marked_and_listed() {
    let Rendered { html, mentions, to_all, .. } =
        render("@Ann and @here, `@bob` @ann x@y.org https://a.org/@eve");
    assert_eq!((mentions.as_slice(), to_all), (["ann".to_owned()].as_slice(), true));
    let html = html.unwrap();
    assert!(html.starts_with("<p><span class=\"hb-mention\" data-name=\"ann\">@Ann</span> and <span class=\"hb-mention hb-all\" data-name=\"here\">@here</span>, <code>@bob</code>"), "{html}");
    let known = render_for(
        "請@陳思如看一下 @nobody",
        Known { is_person: &|name| name == "陳思如", is_channel: &|_| false, recording: None },
    );
    assert_eq!(known.mentions, ["陳思如"]);
    assert_eq!(
        known.html.unwrap(),
        "<p>請<span class=\"hb-mention\" data-name=\"陳思如\">@陳思如</span>看一下 @nobody</p>"
    );
    assert_eq!(render("```\n@ann\n```").mentions, [""; 0]);
    assert_eq!(render("@a_b_c *x*").mentions, ["a_b_c"]);
    let crowd: String = (0..80).fold(String::new(), |crowd, n| crowd + &format!("@p{n} "));
    assert_eq!(render(&crowd).mentions.len(), 50);
}

#[test]
fn emoji_are_named_and_big_when_alone() {
    assert_eq!(html("yes :tada:, `:tada:`"), "<p>yes 🎉, <code>:tada:</code></p>");
    let alone = render(":tada: 👍");
    assert!(alone.emoji_only);
    assert_eq!(alone.html.unwrap(), "<p class=\"hb-big\">🎉 👍</p>");
    assert!(!render("👍!").emoji_only);
    assert_eq!(render("fine 👍").html, None);
}

#[test]
fn a_channel_that_there_is_becomes_a_link_outside_code() {
    let is_channel = |name: &str| ["lab", "night shift", "實驗室"].contains(&name);
    let known = Known { is_person: &|_| false, is_channel: &is_channel, recording: None };
    let html = |text: &str| render_for(text, known).html;
    let link = |href: &str, name: &str| {
        format!(
            "<a class=\"hb-channel\" href=\"/c/{href}\" target=\"_blank\" rel=\"noopener noreferrer nofollow ugc\">#{name}</a>"
        )
    };
    for (text, expected) in [
        ("#Lab", format!("<p>{}</p>", link("Lab", "Lab"))),
        ("see #lab, #other", format!("<p>see {}, #other</p>", link("lab", "lab"))),
        ("#night shift is on", format!("<p>{} is on</p>", link("night%20shift", "night shift"))),
        ("到#實驗室看", format!("<p>到{}看</p>", link("%E5%AF%A6%E9%A9%97%E5%AE%A4", "實驗室"))),
        ("`#lab` **#lab**", format!("<p><code>#lab</code> <strong>{}</strong></p>", link("lab", "lab"))),
    ] {
        assert_eq!(html(text), Some(expected), "{text}");
    }
    for text in ["#other", "C#lab", "a/#lab", "#night", "&#lab"] {
        assert_eq!(html(text), None, "{text}");
    }
    assert!(html("```\n#lab\n```").is_some_and(|html| !html.contains("<a")));
    assert!(html("[go](/c/lab)").is_none_or(|html| !html.contains("href=\"/")));
}

#[test]
fn a_moment_leads_into_the_recording_outside_code_and_links() {
    let known = Known { is_person: &|_| false, is_channel: &|_| false, recording: Some("/media/12") };
    let html = |text: &str| render_for(text, known).html;
    let link = |seconds: u32, words: &str| {
        format!(
            "<a class=\"hb-moment\" href=\"/media/12?t={seconds}\" target=\"_blank\" rel=\"noopener noreferrer nofollow ugc\">{words}</a>"
        )
    };
    for (text, expected) in [
        ("1:23", format!("<p>{}</p>", link(83, "1:23"))),
        ("從1:02:03起 :tada:", format!("<p>從{}起 🎉</p>", link(3723, "1:02:03"))),
        ("**0:05**-0:09", format!("<p><strong>{}</strong>-{}</p>", link(5, "0:05"), link(9, "0:09"))),
        ("`1:23` 2:00", format!("<p><code>1:23</code> {}</p>", link(120, "2:00"))),
    ] {
        assert_eq!(html(text), Some(expected), "{text}");
    }
    for text in ["ratio 16:9", "1:23am", "1:2"] {
        assert_eq!(html(text), None, "{text}");
    }
    assert!(html("```\n1:23\n```").is_some_and(|html| !html.contains("hb-moment")));
    assert!(html("https://a.org/1:23 [1:23](https://b.org)").is_some_and(|html| !html.contains("hb-moment")));
    assert_eq!(render("1:23").html, None, "elsewhere it is a time of day");
    assert!(html("[x](/media/12?t=1)").is_none_or(|html| !html.contains("href=\"/")));
}
