//! Short films and recordings, made by ffmpeg on the spot, and waiting until one is prepared.

use crate::app::App;
use crate::visitor::Visitor;
use serde_json::Value;
use std::fs::{File, FileTimes};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

/// Longer than preparing a clip takes on a machine with other things to do.
const PATIENCE: Duration = Duration::from_mins(3);

/// Pictures that move, one and a half seconds of them.
pub const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=1.5";
/// A tone as long.
pub const SOUND: &str = "-f lavfi -i sine=440:d=1.5";

/// Whether ffmpeg is there. `./test` makes sure that it is; without it these tests have nothing to say, and say so.
pub fn has_ffmpeg(test: &str) -> bool {
    let there = |name: &str| Command::new(name).arg("-version").output().is_ok_and(|o| o.status.success());
    let both = there("ffmpeg") && there("ffprobe");
    if !both {
        eprintln!("NOT TESTED, since ffmpeg is not installed: {test}");
    }
    both
}

/// Makes a clip, whose arguments have spaces between.
pub fn clip(path: &Path, arguments: &str) {
    let mut ffmpeg = Command::new("ffmpeg");
    let output = made_with(ffmpeg.args(["-v", "error", "-nostdin", "-y"]), arguments, path);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    age(path);
}

fn made_with(command: &mut Command, arguments: &str, path: &Path) -> std::process::Output {
    command.args(arguments.split_whitespace()).arg(path).output().unwrap()
}

/// Makes a file look as if it were written an hour ago: one that was written just now may still be growing.
pub fn age(path: &Path) {
    let past = SystemTime::now() - Duration::from_hours(1);
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(past)).unwrap();
}

/// What ffprobe says of a file: codec, width and height of its streams, each on a line.
pub fn streams(path: &Path) -> String {
    let arguments = "-v error -show_entries stream=codec_name,width,height -of csv=p=0";
    let output = made_with(&mut Command::new("ffprobe"), arguments, path);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What ffprobe says of a film's pixels: their form, matrix, curve and primaries.
pub fn colours(path: &Path) -> String {
    let arguments = "-v error -select_streams v -show_entries \
        stream=pix_fmt,color_space,color_transfer,color_primaries -of csv=p=0";
    let output = made_with(&mut Command::new("ffprobe"), arguments, path);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An item that is prepared, or can't be.
pub async fn settled(visitor: &Visitor, title: &str) -> Value {
    until(visitor, title, |item| item["plays"].is_boolean() || item["state"] == "failed").await
}

/// An item in the state that is waited for.
pub async fn until(visitor: &Visitor, title: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = visitor.get("/api/v1/media").await.is(200).json();
        let items = answer["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["title"] == title).cloned().unwrap_or(Value::Null);
        if is_so(&item) {
            return item;
        }
        assert!(Instant::now() < deadline, "{title} never came to it: {answer:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The names in the folder of products; waits until they are so.
pub async fn products(app_media: &Path, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let entries = std::fs::read_dir(app_media.join(".prepared")).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        if is_so(&names) {
            return names;
        }
        assert!(Instant::now() < deadline, "the products never came to it: {names:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A server that prepares what is in its library.
pub async fn workshop() -> App {
    crate::app::spawn_app_with(&[("jobs", "2")]).await
}
