//! What becomes of a recording's file, as ffprobe sees it, wherever it was cut off.

use super::{Fragment, Init, Piece, Walker, beginning, finish};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const FRAGMENTED: &str = "-f mp4 -movflags frag_keyframe+empty_moov+default_base_moof";

/// A stream of eight seconds, taken apart; nothing where ffmpeg can't make it.
fn stream(arguments: &str) -> Option<(Arc<Init>, Vec<Fragment>)> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=8"])
        .args(arguments.split_whitespace())
        .arg("-")
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("NOT TESTED: {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let (mut init, mut fragments) = (None, Vec::new());
    for piece in Walker::default().push(&output.stdout).unwrap() {
        match piece {
            Piece::Init(begun) => init = Some(begun),
            Piece::Fragment(fragment) => fragments.push(fragment),
        }
    }
    Some((init?, fragments))
}

fn written(init: &Init, fragments: &[Fragment]) -> Vec<u8> {
    let mut bytes = beginning(init).unwrap();
    for fragment in fragments {
        bytes.extend_from_slice(&fragment.bytes);
    }
    bytes
}

/// What ffprobe says of each stream, and of the whole: start and duration in seconds, number of packets.
fn probed(path: &Path, entries: &str) -> Vec<f64> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-of", "default=nw=1:nk=1", "-show_entries", entries])
        .arg(path)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{entries}");
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().unwrap()).collect()
}

fn decodes(path: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_finished_file_begins_at_zero_lasts_as_long_as_it_should_and_decodes_without_a_fault() {
    for codecs in [
        "-c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p",
        "-f lavfi -i sine=d=8 -c:v libx264 -preset veryfast -g 25 -pix_fmt yuv420p -c:a aac",
        "-f lavfi -i sine=d=8 -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a libopus",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -pix_fmt yuv420p",
        "-c:v libsvtav1 -preset 12 -g 25 -pix_fmt yuv420p",
    ] {
        let Some((init, fragments)) = stream(&format!("{codecs} {FRAGMENTED}")) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        // From the fourth second on: the sender's clock is far from zero.
        for from in [0, 3] {
            std::fs::write(&path, written(&init, &fragments[from..])).unwrap();
            let seconds = (8 - from) as f64;
            let lasts = finish(&path).unwrap().unwrap();
            assert!((lasts.as_secs_f64() - seconds).abs() < 0.1, "{codecs}: {lasts:?}");
            let format = probed(&path, "format=start_time,duration");
            assert!(format[0].abs() < 0.03 && (format[1] - seconds).abs() < 0.1, "{codecs}: {format:?}");
            let pictures = probed(&path, "stream=nb_read_packets");
            assert!((pictures[0] - 25.0 * seconds).abs() < 0.5, "{codecs}: {pictures:?}");
            decodes(&path);
            let once = std::fs::read(&path).unwrap();
            assert_eq!(finish(&path).unwrap(), Some(lasts));
            assert!(std::fs::read(&path).unwrap() == once, "{codecs}: finished twice it is the same");
        }
    }
}

#[test]
fn picture_and_sound_stay_together_when_a_recording_begins_in_the_middle() {
    // A white flash and a beep at every whole second but the first.
    let arguments = "-f lavfi -i aevalsrc=if(lt(mod(t\\,1)\\,0.1)\\,sin(2*PI*t*1000)\\,0):d=8:s=48000 \
        -filter_complex [0:v]drawbox=c=black:t=fill,drawbox=c=white:t=fill:enable='lt(mod(t\\,1)\\,0.1)'[v] -map [v] -map 1:a \
        -c:v libx264 -preset veryfast -g 30 -bf 2 -pix_fmt yuv420p -c:a aac";
    let Some((init, fragments)) = stream(&format!("{arguments} {FRAGMENTED}")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    std::fs::write(&path, written(&init, &fragments[3..])).unwrap();
    finish(&path).unwrap().unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "info", "-nostdin", "-i"])
        .arg(&path)
        .args([
            "-vf",
            "negate,blackdetect=d=0.01:pix_th=0.2",
            "-af",
            "silencedetect=n=-30dB:d=0.2",
            "-f",
            "null",
            "-",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let times = |word: &str| -> Vec<f64> {
        let after = said.split(word).skip(1);
        after.map(|rest| rest.split_whitespace().next().unwrap().parse().unwrap()).collect()
    };
    let (flashes, beeps) = (times("black_start:"), times("silence_end: "));
    let paired: Vec<f64> = flashes
        .iter()
        .filter_map(|flash| beeps.iter().map(|beep| beep - flash).find(|apart| apart.abs() < 0.3))
        .collect();
    assert!(paired.len() >= 3 && paired.iter().all(|apart| apart.abs() < 0.05), "{flashes:?} {beeps:?}");
}

#[test]
fn a_file_that_was_cut_off_anywhere_has_its_whole_fragments() {
    let codecs = "-f lavfi -i sine=d=8 -c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac";
    let Some((init, fragments)) = stream(&format!("{codecs} {FRAGMENTED}")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    let two = written(&init, &fragments[..2]).len();
    let three = written(&init, &fragments[..3]);
    for cut in [two, two + 1, two + 7, two + 100, three.len() - 1] {
        std::fs::write(&path, &three[..cut]).unwrap();
        let lasts = finish(&path).unwrap().unwrap().as_secs_f64();
        assert!((lasts - 2.0).abs() < 0.1, "{cut}: {lasts}");
        decodes(&path);
    }
    // Killed while it was finished: the list of samples is there in part, or the head isn't changed yet.
    std::fs::write(&path, &three).unwrap();
    finish(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in [three.len() + 1, three.len() + 9, three.len() + 500, whole.len() - 1] {
        for begun in [&three, &whole] {
            let bytes = [&begun[..three.len()], &whole[three.len()..cut]].concat();
            std::fs::write(&path, bytes).unwrap();
            finish(&path).unwrap().unwrap();
            assert!(std::fs::read(&path).unwrap() == whole, "{cut}");
        }
    }
    for cut in [0, 1, 28, 44, 60, two / 4] {
        std::fs::write(&path, &three[..cut.min(beginning(&init).unwrap().len())]).unwrap();
        assert_eq!(finish(&path).unwrap(), None, "{cut}");
    }
}

#[test]
fn what_a_hostile_sender_says_of_its_samples_is_never_believed() {
    let Some((init, fragments)) = stream(&format!("-c:v libx264 -preset ultrafast -g 25 {FRAGMENTED}"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    let good = written(&init, &fragments[..3]);
    let begin = written(&init, &fragments[..1]).len();
    let end = written(&init, &fragments[..2]).len();
    // Whatever stands in the second fragment's head, the film is made of the others at least, and reads nothing beyond.
    for at in begin + 8..end.min(begin + 200) {
        for value in [0x00, 0x01, 0x7F, 0xFF] {
            let mut bytes = good.clone();
            bytes[at] = value;
            std::fs::write(&path, &bytes).unwrap();
            if let Some(lasts) = finish(&path).unwrap() {
                assert!(lasts.as_secs_f64() > 0.9, "{at}, {value}");
            }
        }
    }
}
