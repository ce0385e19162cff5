//! Preparing with two programs over one library, and with none of ffmpeg's.

use crate::app::PASSWORD;
use crate::child::{Child, hubbub};
use crate::clips::{PICTURE, SOUND, clip, has_ffmpeg, products, settled, until};
use crate::store::{Store, postgres_server};
use crate::verify::assert_whole;
use crate::visitor::Visitor;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn library(store: &Store) -> PathBuf {
    let media = store.folder().join("media");
    std::fs::create_dir(&media).unwrap();
    media
}

async fn ann(child: &Child) -> Visitor {
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    ann
}

/// The items whose preparation a node has begun, in that order; as often as it has.
fn begun(node: &Child) -> Vec<i64> {
    let log = node.log();
    let lines = log.lines().filter(|line| line.contains("a job begins"));
    lines.map(|line| line.rsplit("subject=").next().unwrap().trim().parse().unwrap()).collect()
}

/// A film of 80 seconds.
fn long(path: &Path, quality: u32) {
    clip(path, &format!("-f lavfi -i testsrc2=s=1280x720:r=30:d=80 -c:v mpeg4 -q:v {quality}"));
}

#[tokio::test]
async fn two_nodes_prepare_each_file_once_and_one_takes_over_from_the_other() {
    if !has_ffmpeg("two nodes") {
        return;
    }
    if postgres_server().is_none() {
        eprintln!("NOT TESTED, since two nodes need HUBBUB_TEST_POSTGRES: two nodes");
        return;
    }
    let store = Store::new();
    let media = library(&store);
    let one = Child::start_with(&store, &["--jobs", "1"]);
    let two = Child::start_with(&store, &["--jobs", "1", "--data", "other"]);
    let ann = ann(&one).await;
    for n in 1..=4 {
        clip(&media.join(format!("short {n}.avi")), &format!("{PICTURE} {SOUND} -c:v mpeg4 -q:v {n}"));
    }
    for n in 1..=4 {
        let item = settled(&ann, &format!("short {n}")).await;
        assert_eq!(item["state"], "ready", "{item:#}");
    }
    let mut all = [begun(&one), begun(&two)].concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4], "{}\n--\n{}", one.log(), two.log());
    let is_whole = |names: &[String]| names.iter().all(|name| !name.ends_with(".part"));
    assert_eq!(products(&media, is_whole).await.len(), 4);

    // Each of them has one in its hands, and the other is killed.
    for n in [5, 6] {
        long(&store.folder().join("new.avi"), n);
        std::fs::rename(store.folder().join("new.avi"), media.join(format!("long {n}.avi"))).unwrap();
    }
    let deadline = Instant::now() + Duration::from_mins(3);
    while begun(&one).iter().chain(&begun(&two)).filter(|item| **item > 4).count() < 2 {
        ann.get("/api/v1/media").await.is(200);
        assert!(Instant::now() < deadline, "{}\n--\n{}", one.log(), two.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let held = |node: &Child| begun(node).into_iter().filter(|item| *item > 4).collect::<Vec<_>>();
    let (own, others) = (held(&one), held(&two));
    assert_eq!((own.len(), others.len()), (1, 1), "{own:?} and {others:?}");
    two.kill();
    for n in [5, 6] {
        let item = settled(&ann, &format!("long {n}")).await;
        assert_eq!(item["state"], "ready", "{item:#}");
    }
    assert_eq!(held(&one), [own[0], others[0]], "{}", one.log());
    // What the killed one left half done goes at the next tidying.
    assert_eq!(products(&media, is_whole).await.len(), 6);
    assert_whole(&store);
}

#[tokio::test]
async fn without_ffmpeg_what_browsers_play_plays_and_the_rest_waits_with_a_sentence() {
    if !has_ffmpeg("being without it") {
        return;
    }
    let store = Store::new();
    let media = library(&store);
    clip(&media.join("plays.mp4"), &format!("{PICTURE} {SOUND} -c:v libx264 -pix_fmt yuv420p -c:a aac"));
    clip(&media.join("waits.avi"), &format!("{PICTURE} {SOUND} -c:v mpeg4"));
    let child = Child::start_on_path(&store, "", &["--jobs", "1"]);
    let ann = ann(&child).await;
    let sentence = "This server has no ffmpeg, which it needs to make this playable in browsers. \
        The file itself can be downloaded.";
    let waits = until(&ann, "waits", |item| item["state"] == "failed").await;
    assert_eq!(waits["error"], sentence);
    let page = ann.get(&format!("/media/{}", waits["id"])).await.is(200);
    page.has("This server has no ffmpeg").has("/original?download");
    ann.get(waits["original"].as_str().unwrap()).await.is(200);
    let again = format!("/api/v1/media/{}/preparation", waits["id"]);
    ann.send("POST", &again, &serde_json::Value::Null).await.problem(409, "no_tools");
    let plays = until(&ann, "plays", |item| item["state"] == "ready").await;
    let file = ann.request(reqwest::Method::GET, &format!("/media/{}/file", plays["id"]));
    let part = ann.answer(file.header("range", "bytes=4-7")).await.is(206);
    assert_eq!(part.body, *b"ftyp");
    ann.get(&format!("/media/{}", plays["id"]))
        .await
        .is(200)
        .has("<video")
        .lacks("This server has no ffmpeg");
    let said = hubbub(&store).arg("doctor").output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout);
    for program in ["ffmpeg", "ffprobe"] {
        assert!(words.contains(&format!("note  {program} is not on the PATH.")), "{words}");
    }
    assert!(child.terminate().success());
    let child = Child::start_with(&store, &["--jobs", "1"]);
    let ann = Visitor::moved(&ann, &child.origin);
    for title in ["waits", "plays"] {
        let item = until(&ann, title, |item| item["plays"].is_boolean()).await;
        assert_eq!((&item["state"], &item["error"]), (&"ready".into(), &serde_json::Value::Null), "{item:#}");
    }
}
