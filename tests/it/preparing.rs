//! Preparing what lies in the library, with the real ffmpeg.

use crate::clips::{PICTURE, SOUND, clip, has_ffmpeg, products, settled, streams, workshop};
use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::Value;
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
