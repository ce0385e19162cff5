//! Preparing what lies in the library, with the real ffmpeg.

use crate::app::PASSWORD;
use crate::child::Child;
use crate::clips::{PICTURE, SOUND, clip, colours, has_ffmpeg, products, settled, streams, until, workshop};
use crate::store::Store;
use crate::verify::assert_whole;
use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// File, what it is made of, whether browsers play it as it is, and what the best rendition's streams are.
const FORMATS: [(&str, &str, bool, &str); 17] = [
    ("mp4.mp4", "-c:v libx264 -pix_fmt yuv420p -c:a aac", true, ""),
    ("mov.mov", "-c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le", false, "h264,320,180\naac\n"),
    ("mkv.mkv", "-c:v mpeg4 -c:a ac3", false, "h264,320,180\naac\n"),
    ("webm.webm", "-c:v libvpx -c:a libvorbis", true, ""),
    ("avi.avi", "-c:v mpeg4 -c:a libmp3lame", false, "h264,320,180\naac\n"),
    ("mp3.mp3", "", true, ""),
    ("flac.flac", "", true, "aac\n"),
    ("wav.wav", "", true, "aac\n"),
    ("ogg.ogg", "-c:a libvorbis", false, "aac\n"),
    ("m4a.m4a", "-c:a aac", true, ""),
    ("wmv.wmv", "", false, "h264,320,180\naac\n"),
    ("wma.wma", "", false, "aac\n"),
    ("mpg.mpg", "-c:v mpeg2video", false, "h264,320,180\naac\n"),
    ("ts.ts", "-c:v mpeg2video", false, "h264,320,180\naac\n"),
    ("aiff.aiff", "", false, "aac\n"),
    ("flv.flv", "-ar 44100", false, "h264,320,180\naac\n"),
    ("silent.mkv", "-an -c:v mpeg4", false, "h264,320,180\n"),
];

fn is_sound(name: &str) -> bool {
    ["mp3", "flac", "wav", "ogg", "m4a", "wma", "aiff"].iter().any(|end| name.ends_with(end))
}

async fn saved(visitor: &Visitor, url: &str, to: &Path) -> String {
    let answer = visitor.get(url).await.is(200);
    std::fs::write(to, &answer.body).unwrap();
    answer.header("content-type")
}

#[tokio::test]
async fn every_format_plays_in_every_browser_afterwards() {
    if !has_ffmpeg("formats") {
        return;
    }
    let app = workshop().await;
    for (name, how, ..) in FORMATS {
        let sources = if is_sound(name) { SOUND.to_owned() } else { format!("{PICTURE} {SOUND}") };
        clip(&app.media().join(name), &format!("{sources} {how}"));
    }
    let ann = app.register("ann").await;
    let scratch = tempfile::tempdir().unwrap();
    for (name, _, plays, best) in FORMATS {
        let item = settled(&ann, name.split('.').next().unwrap()).await;
        assert_eq!((&item["state"], &item["plays"]), (&"ready".into(), &plays.into()), "{item:#}");
        assert!((1300..1800).contains(&item["duration"].as_i64().unwrap()), "{item:#}");
        assert_eq!(item["kind"], if is_sound(name) { "audio" } else { "video" }, "{item:#}");
        if is_sound(name) {
            peaks(&ann, &item).await;
        } else {
            assert_eq!((&item["width"], &item["height"]), (&320.into(), &180.into()), "{item:#}");
            pictures(&ann, &item).await;
        }
        let renditions = item["renditions"].as_array().cloned().unwrap_or_default();
        assert_eq!(renditions.is_empty(), best.is_empty(), "{item:#}");
        if let Some(rendition) = renditions.first() {
            let to = scratch.path().join("rendition");
            let kind = saved(&ann, rendition["url"].as_str().unwrap(), &to).await;
            assert_eq!((kind.as_str(), streams(&to).as_str()), (rendition["mime"].as_str().unwrap(), best));
            let bytes = std::fs::read(&to).unwrap();
            assert_eq!(rendition["size"], bytes.len());
            // Begins to play before all of it is there.
            let place = |name: &[u8]| bytes.windows(4).position(|w| w == name).unwrap();
            assert!(place(b"moov") < place(b"mdat"), "{name}");
        }
        // The page plays the original or the best rendition; the original stays to be had.
        let file = ann.get(&format!("/media/{}/file", item["id"])).await.is(200);
        let original = std::fs::read(app.media().join(name)).unwrap();
        assert_eq!(file.body == original, plays, "{name}");
        assert!(ann.get(item["original"].as_str().unwrap()).await.is(200).body == original, "{name}");
        ann.get(&format!("/media/{}", item["id"])).await.is(200);
    }
    let sets = products(&app.media(), |names| names.iter().all(|name| !name.ends_with(".part"))).await;
    assert_eq!(sets.len(), FORMATS.len());
}

async fn peaks(visitor: &Visitor, item: &Value) {
    let wave = visitor.get(item["wave"].as_str().unwrap()).await.is(200);
    assert_eq!(wave.header("content-type"), "application/json");
    let wave = wave.json();
    let peaks = wave["peaks"].as_array().unwrap();
    assert_eq!(peaks.len(), 1000, "{}", item["title"]);
    let loud = peaks.iter().filter(|peak| peak.as_i64().unwrap() > 8).count();
    assert!(loud > 800, "{}: {wave}", item["title"]);
    let loudness = item["loudness"].as_f64().unwrap();
    assert!((-30.0..-15.0).contains(&loudness), "{item:#}");
}

async fn pictures(visitor: &Visitor, item: &Value) {
    let is_jpeg = |body: &[u8]| body.starts_with(b"\xff\xd8\xff");
    let poster = visitor.get(item["poster"]["url"].as_str().unwrap()).await.is(200);
    assert!(is_jpeg(&poster.body) && poster.header("cache-control").contains("immutable"), "{item:#}");
    assert!(is_jpeg(&visitor.get(&format!("/api/v1/media/{}/poster", item["id"])).await.is(200).body));
    assert!(is_jpeg(&visitor.get(item["sprite"]["url"].as_str().unwrap()).await.is(200).body));
    let map = visitor.get(item["sprite"]["vtt"].as_str().unwrap()).await.is(200).has("#xywh=0,0,160,90");
    assert!(map.text().starts_with("WEBVTT\n"));
}

/// How bright a film's or a picture's first frame is on the whole, 0 to 255.
fn brightness(path: &Path) -> u64 {
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-i"]).arg(path).args("-frames:v 1 -f rawvideo -pix_fmt gray -".split(' '));
    let pixels = ffmpeg.output().unwrap().stdout;
    assert!(!pixels.is_empty(), "{}", path.display());
    pixels.iter().map(|pixel| u64::from(*pixel)).sum::<u64>() / pixels.len() as u64
}

#[tokio::test]
async fn a_film_of_high_dynamic_range_is_as_bright_as_others() {
    if !has_ffmpeg("high dynamic range") {
        return;
    }
    let able = |list: &str, names: &[&str]| {
        let said = std::process::Command::new("ffmpeg").args(["-v", "quiet", list]).output().unwrap().stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        names.iter().all(|name| said.split_whitespace().any(|word| word == *name))
    };
    if !able("-filters", &["zscale", "tonemap"]) || !able("-encoders", &["libx265"]) {
        eprintln!("NOT TESTED, since this ffmpeg has no zscale, tonemap or libx265: high dynamic range");
        return;
    }
    let app = workshop().await;
    // Light grey: 0.525 of the signal. That is 118 cd/m² by PQ, three fifths of the white of BT.2408, and 57 by HLG.
    let films = [("pq", "smpte2084", 175..=205), ("hlg", "arib-std-b67", 138..=165)];
    for (name, curve, _) in &films {
        let how = format!(
            "-f lavfi -i color=c=0x868686:s=320x180:r=25:d=1.5 -c:v libx265 -x265-params log-level=none \
             -pix_fmt yuv420p10le -color_trc {curve} -color_primaries bt2020 -colorspace bt2020nc"
        );
        clip(&app.media().join(format!("{name}.mkv")), &how);
    }
    let ann = app.register("ann").await;
    let scratch = tempfile::tempdir().unwrap();
    for (name, _, bright) in films {
        let item = settled(&ann, name).await;
        assert_eq!((&item["state"], &item["plays"]), (&"ready".into(), &false.into()), "{item:#}");
        let file = |end: &str| scratch.path().join(format!("{name}.{end}"));
        saved(&ann, item["renditions"][0]["url"].as_str().unwrap(), &file("mp4")).await;
        saved(&ann, item["poster"]["url"].as_str().unwrap(), &file("jpg")).await;
        assert_eq!(colours(&file("mp4")), "yuv420p,bt709,bt709,bt709\n");
        for end in ["mp4", "jpg"] {
            let found = brightness(&file(end));
            assert!(bright.contains(&found), "{name}.{end}: {found}");
        }
    }
}

#[tokio::test]
async fn a_rendition_is_served_in_parts_and_only_under_its_own_address() {
    if !has_ffmpeg("ranges of a rendition") {
        return;
    }
    let app = workshop().await;
    clip(&app.media().join("film.avi"), &format!("{PICTURE} {SOUND} -c:v mpeg4"));
    let ann = app.register("ann").await;
    let item = settled(&ann, "film").await;
    let url = item["renditions"][0]["url"].as_str().unwrap();
    let whole = ann.get(url).await.is(200);
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let part = ann.answer(ann.request(Method::GET, url).header("range", "bytes=10-99")).await.is(206);
    assert!(part.body == whole.body[10..100]);
    assert_eq!(part.header("content-range"), format!("bytes 10-99/{}", whole.body.len()));
    let (plain, _) = url.split_once('?').unwrap();
    assert!(ann.get(plain).await.is(200).header("cache-control").contains("no-cache"));
    // The address of another state of the file: whoever plays that gets no part of this one.
    ann.get(&format!("{plain}?v=0123456789abcdef0123456789abcdef")).await.is(404);
    for name in ["1080p.mp4", "..", "%2e%2e%2ffilm.avi", "wave.json"] {
        ann.get(&format!("/media/{}/r/{name}", item["id"])).await.is(404);
    }
    app.stranger().get(url).await.is(303);
}

/// A film that takes a while: large pictures, many of them.
const LONG: &str = "-f lavfi -i testsrc2=s=1280x720:r=30:d=40 -c:v mpeg4 -q:v 5";

#[tokio::test]
async fn a_preparation_is_cancelled_and_begun_again() {
    if !has_ffmpeg("cancelling") {
        return;
    }
    let app = workshop().await;
    clip(&app.media().join("long.avi"), LONG);
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let item = until(&ann, "long", |item| item["state"] == "preparing").await;
    let (page, call) =
        (format!("/media/{}", item["id"]), format!("/api/v1/media/{}/preparation", item["id"]));
    ann.get(&page).await.is(200).has("<media-preparing").has("Cancel");
    bob.get(&page).await.is(200).has("<media-preparing").lacks("Cancel");
    bob.send("DELETE", &call, &Value::Null).await.problem(403, "not_yours");
    // Ann is the owner; nobody uploaded it.
    let cancelled = ann.send("DELETE", &call, &Value::Null).await.is(200).json();
    assert_eq!(
        (&cancelled["state"], &cancelled["error"]),
        (&"failed".into(), &"Preparing it was cancelled.".into())
    );
    ann.send("DELETE", &call, &Value::Null).await.problem(409, "not_preparing");
    products(&app.media(), <[String]>::is_empty).await;
    ann.get(&page).await.is(200).has("Preparing it was cancelled.").has("Try again");
    ann.post(&format!("{page}/preparation"), &[("do", "again")]).await.is(303);
    until(&ann, "long", |item| item["state"] == "preparing" || item["state"] == "ready").await;
    ann.post(&format!("{page}/preparation"), &[("do", "cancel")]).await.is(303);
}

#[tokio::test]
async fn a_replaced_file_is_prepared_anew_and_what_is_deleted_leaves_nothing() {
    if !has_ffmpeg("replacing") {
        return;
    }
    let app = workshop().await;
    let path = app.media().join("song.avi");
    clip(&path, &format!("{PICTURE} {SOUND} -c:v mpeg4"));
    let ann = app.register("ann").await;
    let old = settled(&ann, "song").await;
    let first = products(&app.media(), |names| names.len() == 1).await;
    // The same content under another name is prepared once.
    std::fs::copy(&path, app.media().join("twin.avi")).unwrap();
    crate::clips::age(&app.media().join("twin.avi"));
    let twin = settled(&ann, "twin").await;
    assert_eq!(twin["state"], "ready", "{twin:#}");
    assert_eq!(products(&app.media(), |_| true).await, first);
    std::fs::remove_file(app.media().join("twin.avi")).unwrap();

    clip(&path, "-f lavfi -i testsrc2=s=200x100:r=25:d=2.5 -c:v mpeg4");
    let new = until(&ann, "song", |item| item["width"] == 200 || item["state"] == "failed").await;
    assert_eq!((&new["id"], &new["state"]), (&old["id"], &"ready".into()), "{new:#}");
    ann.get(old["renditions"][0]["url"].as_str().unwrap()).await.is(404);
    ann.get(new["renditions"][0]["url"].as_str().unwrap()).await.is(200);

    let url = format!("/api/v1/media/{}", new["id"]);
    ann.send("DELETE", &url, &Value::Null).await.is(204);
    ann.send("DELETE", &format!("{url}?forever=true"), &Value::Null).await.is(204);
    // The twin's own are kept for a while: its file may come back.
    products(&app.media(), |names| *names == first).await;
}

#[tokio::test]
async fn a_twin_of_what_was_damaged_is_prepared_anew() {
    if !has_ffmpeg("damaged products") {
        return;
    }
    let app = workshop().await;
    let path = app.media().join("song.avi");
    clip(&path, &format!("{PICTURE} {SOUND} -c:v mpeg4"));
    let ann = app.register("ann").await;
    settled(&ann, "song").await;
    let first = products(&app.media(), |names| names.len() == 1).await;
    let set = app.media().join(".prepared").join(&first[0]);
    for (title, damage) in [("one", "poster.jpg"), ("two", "sprite.vtt"), ("three", "180p.mp4")] {
        // Shorter than it was, as after a disk that was full; or gone.
        let damaged = set.join(damage);
        if title == "three" {
            std::fs::File::options().write(true).open(&damaged).unwrap().set_len(1000).unwrap();
        } else {
            std::fs::remove_file(&damaged).unwrap();
        }
        let twin = app.media().join(format!("{title}.avi"));
        std::fs::copy(&path, &twin).unwrap();
        crate::clips::age(&twin);
        let item = settled(&ann, title).await;
        assert_eq!(item["state"], "ready", "{item:#}");
        ann.get(item["poster"]["url"].as_str().unwrap()).await.is(200);
        ann.get(item["sprite"]["vtt"].as_str().unwrap()).await.is(200);
        let rendition = ann.get(item["renditions"][0]["url"].as_str().unwrap()).await.is(200);
        assert_eq!(rendition.body.len(), item["renditions"][0]["size"], "{item:#}");
        // The next twin has only the damaged one to look at.
        std::fs::remove_file(twin).unwrap();
        ann.get("/api/v1/media").await.is(200);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_given_up_with_a_sentence() {
    if !has_ffmpeg("files that can't be opened") {
        return;
    }
    let store = Store::new();
    let media = store.folder().join("media");
    std::fs::create_dir(&media).unwrap();
    let path = media.join("closed.avi");
    clip(&path, &format!("{PICTURE} {SOUND} -c:v mpeg4"));
    let rights = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    rights(0o000);
    let child = Child::start_weak(&store, &["--jobs", "1"]);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    let item = until(&ann, "closed", |item| item["state"] == "failed").await;
    let sentence = "The server can't open this file. Let it read the file, then try again.";
    assert_eq!(item["error"], sentence, "{item:#}");
    let page = format!("/media/{}", item["id"]);
    ann.get(&page).await.is(200).has("The server can&#39;t open this file.").has("Try again");
    let (words, code) = crate::verify::weakly(&store);
    assert!(code == Some(1) && words.contains("“closed.avi” can't be read: Permission denied"), "{words}");
    rights(0o644);
    crate::verify::assert_whole(&store);
    ann.post(&format!("{page}/preparation"), &[("do", "again")]).await.is(303);
    let item = settled(&ann, "closed").await;
    assert_eq!(item["state"], "ready", "{item:#}");
    // What is replaced by something that can be read is noticed without being told.
    std::fs::remove_file(&path).unwrap();
    clip(&path, "-f lavfi -i testsrc2=s=200x100:r=25:d=1.5 -c:v mpeg4");
    rights(0o000);
    until(&ann, "closed", |item| item["error"] == sentence).await;
    clip(&media.join("open.avi"), "-f lavfi -i testsrc2=s=300x100:r=25:d=1.5 -c:v mpeg4");
    std::fs::rename(media.join("open.avi"), &path).unwrap();
    let item = until(&ann, "closed", |item| {
        item["width"] == 300 || item["state"] == "failed" && item["error"] != sentence
    });
    assert_eq!(item.await["state"], "ready");
}

#[tokio::test]
async fn killed_on_the_way_it_goes_on_after_the_start_and_leaves_nothing_half() {
    if !has_ffmpeg("being killed") {
        return;
    }
    let store = Store::new();
    let media = store.folder().join("media");
    std::fs::create_dir(&media).unwrap();
    clip(&media.join("long.avi"), LONG);
    let mut child = Child::start_with(&store, &["--jobs", "1"]);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    for _ in 0..2 {
        let visitor = Visitor::moved(&ann, &child.origin);
        until(&visitor, "long", |item| item["progress"].as_i64().is_some_and(|percent| percent >= 10)).await;
        let unfinished = products(&media, |names| !names.is_empty()).await;
        assert!(unfinished.iter().all(|name| name.ends_with(".part")), "{unfinished:?}");
        child.kill();
        assert_whole(&store);
        child = Child::start_with(&store, &["--jobs", "1"]);
    }
    let ann = Visitor::moved(&ann, &child.origin);
    let item = settled(&ann, "long").await;
    assert_eq!(item["state"], "ready", "{item:#}");
    assert_eq!(item["renditions"].as_array().unwrap().len(), 2, "{item:#}");
    // A stop in order is clean at once; the next start tidies what the kills left.
    assert!(child.terminate().success());
    let child = Child::start_with(&store, &["--jobs", "1"]);
    products(&media, |names| names.len() == 1 && !names[0].ends_with(".part")).await;
    assert_whole(&store);
    drop(child);
}

#[tokio::test]
async fn an_item_is_there_before_anybody_has_listed_the_library() {
    let app = crate::app::spawn_app().await;
    std::fs::write(app.media().join("a.wav"), b"RIFF....WAVE").unwrap();
    let ann = app.register("ann").await;
    let item = ann.get("/api/v1/media/1").await.is(200).json();
    assert_eq!((&item["title"], &item["state"]), (&"a".into(), &"ready".into()));
}
