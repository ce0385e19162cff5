//! Real streams by ffmpeg, and what hostile senders make of them.

use super::{Fragment, Init, Part, Piece, Ring, Walker};
use bytes::Bytes;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// A stream of `seconds` with what the arguments say, or nothing where ffmpeg is missing or can't make it.
fn stream(arguments: &str) -> Option<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=6"])
        .args(arguments.split_whitespace())
        .args(["-f", "mp4", "-"])
        .output()
        .ok()?;
    if !output.status.success() {
        eprintln!("NOT TESTED: {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success().then_some(output.stdout)
}

const LIVE: &str = "-movflags frag_keyframe+empty_moov+default_base_moof";

/// Hands a body over in chunks of this many bytes.
fn walked(body: &[u8], chunk: usize) -> (Vec<Arc<Init>>, Vec<Fragment>) {
    let mut walker = Walker::default();
    let (mut inits, mut fragments) = (Vec::new(), Vec::new());
    for part in body.chunks(chunk) {
        for piece in walker.push(part).unwrap() {
            match piece {
                Piece::Init(init) => inits.push(init),
                Piece::Fragment(fragment) => fragments.push(fragment),
            }
        }
    }
    (inits, fragments)
}

#[test]
fn ffmpegs_streams_are_cut_into_their_pieces_however_they_come() {
    for (codecs, mime) in [
        ("-c:v libx264 -preset veryfast -g 25", r#"video/mp4; codecs="avc1.64000c""#),
        (
            "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -profile:v baseline -g 25",
            r#"video/mp4; codecs="avc1.42c00c""#,
        ),
        (
            "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -pix_fmt yuv420p",
            r#"video/mp4; codecs="vp09.00.11.08""#,
        ),
        ("-c:v libsvtav1 -preset 12 -g 25 -pix_fmt yuv420p", r#"video/mp4; codecs="av01.0.00M.08""#),
        (
            "-f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -profile:v baseline -g 25 -c:a aac",
            r#"video/mp4; codecs="avc1.42c00c, mp4a.40.2""#,
        ),
        (
            "-f lavfi -i sine=d=6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -profile:v baseline -g 25 -c:a libopus",
            r#"video/mp4; codecs="avc1.42c00c, opus""#,
        ),
    ] {
        let Some(body) = stream(&format!("{codecs} {LIVE}")) else { continue };
        let (inits, fragments) = walked(&body, 1000);
        let [init] = &inits[..] else { panic!("{codecs}: {} beginnings", inits.len()) };
        assert_eq!(init.mime, mime);
        assert_eq!(init.size(), Some((320, 180)));
        assert_eq!(fragments.len(), 6, "{codecs}: one a second");
        assert!(fragments.iter().all(|fragment| fragment.timing.key), "{codecs}");
        for (n, fragment) in (0..).zip(&fragments) {
            // Where there is sound, ffmpeg begins with what its coder puts before.
            let apart = fragment.timing.start.abs_diff(Duration::from_secs(n));
            let apart = apart.max(fragment.timing.duration.abs_diff(Duration::from_secs(1)));
            assert!(apart < Duration::from_millis(60), "{codecs}: {:?}", fragment.timing);
        }
        for chunk in [1, 7, body.len()] {
            assert_eq!(
                walked(&body, chunk),
                (inits.clone(), fragments.clone()),
                "{codecs}, {chunk} at a time"
            );
        }
        // Only what stands behind the last fragment (an index for files) is left out.
        let handed: Vec<u8> =
            init.bytes.iter().chain(fragments.iter().flat_map(|fragment| &fragment.bytes)).copied().collect();
        assert!(body.starts_with(&handed), "{codecs}: {} of {}", handed.len(), body.len());
    }
}

#[test]
fn between_key_frames_a_fragment_is_none_to_begin_with() {
    let arguments =
        "-c:v libx264 -preset ultrafast -g 50 -movflags empty_moov+default_base_moof+frag_every_frame";
    let Some(body) = stream(arguments) else { return };
    let (_, fragments) = walked(&body, 4096);
    let keys: Vec<_> =
        (0..).zip(&fragments).filter(|(_, fragment)| fragment.timing.key).map(|(n, _)| n).collect();
    assert_eq!((fragments.len(), keys), (150, vec![0, 50, 100]));
    let mut ring = Ring::default();
    let (inits, _) = walked(&body, 4096);
    ring.begin(Arc::clone(&inits[0]));
    assert!(!ring.push(kept(&fragments[1]), 0), "nobody can begin in the middle");
    assert!(fragments.iter().all(|fragment| ring.push(kept(fragment), 0)));
    assert_eq!(ring.whole().map(|segment| segment.duration).collect::<Vec<_>>(), [Duration::from_secs(2); 2]);
    assert_eq!(ring.newest().unwrap().parts.len(), 50);
}

#[test]
fn sound_alone_can_be_begun_anywhere() {
    let output = Command::new("ffmpeg")
        .args(
            "-v error -nostdin -f lavfi -i sine=d=6 -c:a aac -f mp4 -frag_duration 1000000 -movflags"
                .split(' '),
        )
        .args(["empty_moov+default_base_moof", "-"])
        .output();
    let Ok(output) = output else { return };
    let (inits, fragments) = walked(&output.stdout, 500);
    assert_eq!((inits[0].mime.as_str(), inits[0].size()), (r#"audio/mp4; codecs="mp4a.40.2""#, None));
    assert!(fragments.len() >= 5 && fragments.iter().all(|fragment| fragment.timing.key));
}

#[test]
fn what_cant_be_handed_on_is_refused_with_what_to_do() {
    for (arguments, sentence) in [
        (
            "-c:v libx264 -preset ultrafast -movflags faststart -f mp4 /dev/null -c:v libx264 -movflags frag_keyframe+empty_moov",
            "default_base_moof",
        ),
        (
            "-c:v libx265 -preset ultrafast -g 25 -movflags frag_keyframe+empty_moov+default_base_moof",
            "Send H.264, AV1 or VP9",
        ),
        ("-c:v mpeg4 -g 25 -movflags frag_keyframe+empty_moov+default_base_moof", "Browsers don't play"),
    ] {
        let Some(body) = stream(arguments) else { continue };
        let refused = Walker::default().push(&body).unwrap_err().0;
        assert!(refused.contains(sentence), "{arguments}: {refused}");
    }
}

fn sample() -> Vec<u8> {
    let head = |kind: &[u8; 4], body: &[u8]| {
        let mut bytes = u32::try_from(body.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(body);
        bytes
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let entry = [vec![0; 24], vec![1, 64, 0, 180], vec![0; 50], head(b"avcC", &[1, 0x42, 0xC0, 13, 0xFF, 0])]
        .concat();
    let stsd = [words(&[0, 1]), head(b"avc1", &entry)].concat();
    let table = head(b"minf", &head(b"stbl", &head(b"stsd", &stsd)));
    let hdlr = head(b"hdlr", &[words(&[0, 0]), b"vide".to_vec(), vec![0; 13]].concat());
    let media = head(b"mdia", &[head(b"mdhd", &words(&[0, 0, 0, 1000, 0, 0])), hdlr, table].concat());
    let trak = head(b"trak", &[head(b"tkhd", &words(&[0, 0, 0, 1, 0])), media].concat());
    let mvex = head(b"mvex", &head(b"trex", &words(&[0, 1, 1, 40, 0, 0x0101_0000])));
    let samples = [
        head(b"tfhd", &words(&[0x0002_0000, 1])),
        head(b"tfdt", &words(&[0, 0])),
        head(b"trun", &words(&[0x0000_0205, 2, 0, 0x0200_0000, 5, 6])),
    ]
    .concat();
    let moof = head(b"moof", &[head(b"mfhd", &words(&[0, 1])), head(b"traf", &samples)].concat());
    [
        head(b"ftyp", b"isom"),
        head(b"free", &[0; 9]),
        head(b"moov", &[trak, mvex].concat()),
        moof,
        head(b"mdat", &[7; 11]),
    ]
    .concat()
}

#[test]
fn the_smallest_stream_by_hand_is_read() {
    let (inits, fragments) = walked(&sample(), 3);
    for (bytes, whole) in
        [(sample().len(), true), (sample().len() - 1, false), (20, false), (3, false), (0, true)]
    {
        let mut walker = Walker::default();
        walker.push(&sample()[..bytes]).unwrap();
        assert_eq!(walker.is_between(), whole, "{bytes}");
    }
    assert_eq!(inits[0].mime, r#"video/mp4; codecs="avc1.42c00d""#);
    assert_eq!(fragments.len(), 1);
    assert!(fragments[0].timing.key);
    assert_eq!(fragments[0].timing.duration, Duration::from_millis(80));
}

#[test]
fn no_changed_or_missing_byte_makes_it_panic_or_wait_for_more_than_it_may() {
    let body = sample();
    for at in 0..body.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF, body[at] ^ 1] {
            let mut changed = body.clone();
            changed[at] = value;
            let mut walker = Walker::default();
            for part in changed.chunks(5) {
                if walker.push(part).is_err() {
                    break;
                }
            }
        }
        let mut walker = Walker::default();
        let _ = walker.push(&[&body[..at], &body[at + 1..]].concat());
        let _ = Walker::default().push(&body[at..]);
    }
}

#[test]
fn what_is_too_long_is_refused_by_its_head_alone() {
    let body = sample();
    let mdat = body.len() - 19;
    for (at, bytes) in [
        (mdat, &[0xFF, 0xFF, 0xFF, 0xFF][..]),
        (mdat, &[0, 0, 0, 0]),
        (mdat, &[0, 0, 0, 1, b'm', b'd', b'a', b't', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        (12, &[0xFF, 0, 0, 0]),
        (0, &[0x10, 0, 0, 0]),
        (0, b"GET / HT"),
    ] {
        let mut changed = body.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        assert!(Walker::default().push(&changed).is_err(), "{at} {bytes:?}");
    }
}

#[test]
fn a_fragment_that_lists_more_than_it_holds_is_refused() {
    let mut body = sample();
    let last = body.len() - 19 - 1;
    body[last] = 7;
    assert_eq!(
        Walker::default().push(&body).unwrap_err().0,
        "The MP4 is broken: a fragment lists more than it holds."
    );
}

/// A second of video that begins with a key frame, or not.
fn fragment(key: bool, bytes: usize) -> Fragment {
    let (_, mut fragments) = walked(&sample(), 100);
    let mut one = fragments.remove(0);
    one.timing.key = key;
    one.timing.duration = Duration::from_secs(1);
    one.bytes = Bytes::from(vec![0; bytes]);
    one
}

fn kept(fragment: &Fragment) -> Part {
    Part { fragment: fragment.clone(), frames: fragment.bytes.clone() }
}

fn begun() -> Ring {
    let (inits, _) = walked(&sample(), 100);
    let mut ring = Ring::default();
    ring.begin(Arc::clone(&inits[0]));
    ring
}

#[test]
fn the_ring_keeps_twelve_seconds_and_six_segments_within_its_bytes() {
    let mut ring = begun();
    for _ in 0..100 {
        assert!(ring.push(kept(&fragment(true, 1000)), 0));
    }
    assert_eq!(ring.whole().count(), 12);
    assert_eq!(ring.whole().last().unwrap().number, 98);
    assert!(ring.segment(98).is_some() && ring.segment(99).is_none() && ring.segment(10).is_none());
    for _ in 0..100 {
        ring.push(kept(&fragment(true, 5_000_000)), 0);
    }
    assert!(ring.bytes <= 32 * 1024 * 1024 + 5_000_000 && ring.whole().count() >= 5, "{}", ring.bytes);
    let mut count = 0;
    while ring.push(kept(&fragment(false, 1_000_000)), 0) {
        count += 1;
        assert!(count < 100, "one segment can't grow for ever");
    }
}

#[test]
fn players_of_hls_see_where_a_sender_began_anew() {
    let mut ring = begun();
    assert!(!ring.playlist("").contains("segment"));
    for _ in 0..3 {
        ring.push(kept(&fragment(true, 10)), 1_700_000_000_000);
    }
    ring.close();
    let (inits, _) = walked(&sample(), 100);
    ring.begin(Arc::clone(&inits[0]));
    for _ in 0..2 {
        ring.push(kept(&fragment(true, 10)), 1_700_000_060_000);
    }
    assert_eq!(
        ring.playlist("?token=abc"),
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n\
         #EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-MAP:URI=\"init-0.mp4?token=abc\"\n\
         #EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20Z\n#EXTINF:1.00000,\nsegment-0.m4s?token=abc\n\
         #EXTINF:1.00000,\nsegment-1.m4s?token=abc\n#EXTINF:1.00000,\nsegment-2.m4s?token=abc\n#EXT-X-DISCONTINUITY\n\
         #EXT-X-MAP:URI=\"init-1.mp4?token=abc\"\n#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:14:20Z\n#EXTINF:1.00000,\n\
         segment-3.m4s?token=abc\n",
    );
    assert!(ring.init_of(1).is_some() && ring.init_of(2).is_none());
}
