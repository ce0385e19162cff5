//! Files that want to do harm, or are broken: each fails alone, in a sentence, and takes nothing along.

use crate::clips::{PICTURE, SOUND, age, clip, has_ffmpeg, products, settled, workshop};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What must not come out of any file: the content of one that lies outside the library.
const SECRET: &str = "THE-CANARY-SINGS-NO-SONG";

/// A listener that nobody may talk to; it counts those who do.
fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (port, heard)
}

/// Texts that make a careless ffmpeg read another file or ask an address.
fn lures(secret: &Path, port: u16) -> Vec<String> {
    let secret = secret.display();
    let url = format!("http://127.0.0.1:{port}/x");
    let mut lures = Vec::new();
    for target in
        [format!("{secret}"), format!("file://{secret}"), url.clone(), format!("concat:{secret}|{secret}")]
    {
        lures.push(format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"));
        lures.push(format!("ffconcat version 1.0\nfile '{target}'\n"));
        lures.push(format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet>\
             <Representation id=\"1\" bandwidth=\"1\"><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ));
        lures.push(format!(
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={target}\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 96\n"
        ));
        lures.push(format!("[playlist]\nFile1={target}\nNumberOfEntries=1\n"));
    }
    lures.push(format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"{url}\"/></svg>"));
    lures.push(format!("<html><script>fetch('{url}')</script></html>"));
    lures
}

/// A film of bare pixels whose header says that its pictures have this size.
fn sized(good: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut film = good.to_vec();
    // The stream's format: its length, the length again, then width and height.
    let format = film.windows(4).position(|w| w == b"strf").unwrap();
    film[format + 12..format + 16].copy_from_slice(&width.to_le_bytes());
    film[format + 16..format + 20].copy_from_slice(&height.to_le_bytes());
    film
}

fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| byte()).collect()
}

/// Every hostile file: what it is called, and its content.
fn files(scratch: &Path, secret: &Path, port: u16) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let endings = ["mp4", "mkv", "avi", "mp3", "ogg", "ts", "webm", "mov"];
    for (n, lure) in lures(secret, port).into_iter().enumerate() {
        files.push((format!("lure{n}.{}", endings[n % endings.len()]), lure.into_bytes()));
    }
    let make = |name: &str, how: &str| {
        clip(&scratch.join(name), how);
        fs::read(scratch.join(name)).unwrap()
    };
    let film = format!("{PICTURE} {SOUND} -c:v mpeg4 -c:a aac");
    let (mp4, mkv) = (make("good.mp4", &film), make("good.mkv", &film));
    let (mp3, flac) = (make("good.mp3", SOUND), make("good.flac", SOUND));
    let bare = make("bare.avi", "-f lavfi -i testsrc2=s=64x64:d=0.2 -pix_fmt yuv420p -c:v rawvideo");
    for (n, (width, height)) in [(100_000, 2), (2, 100_000), (50_000, 50_000), (0, 0)].into_iter().enumerate()
    {
        files.push((format!("sized{n}.avi"), sized(&bare, width, height)));
    }
    files.push(("wide.mkv".into(), make("wide.mkv", "-f lavfi -i color=s=100000x2:d=0.2 -c:v ffv1")));
    // Without the index, which stands at the end.
    files.push(("cut.mp4".into(), mp4[..mp4.len() / 2].to_vec()));
    files.push(("head.mkv".into(), mkv[..60].to_vec()));
    files.push(("head.flac".into(), flac[..20].to_vec()));
    files.push(("tag.mp3".into(), mp3[..10].to_vec()));
    for (n, ending) in ["mp4", "mkv", "avi", "wav", "mov", "flac"].into_iter().enumerate() {
        files.push((format!("empty{n}.{ending}"), Vec::new()));
        files.push((format!("noise{n}.{ending}"), pattern(20_000, u32::try_from(n).unwrap())));
    }
    // A megabyte of zeros in a kilobyte, many times over.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 64 << 20]).unwrap();
    files.push(("bomb.mp4".into(), packed.finish().unwrap()));
    files.push(("words.mp4".into(), b"This is only a text, whatever its name says.\n".repeat(100)));
    for (name, start) in [
        ("picture.mp4", &b"\x89PNG\r\n\x1a\n"[..]),
        ("program.avi", b"MZ\x90\0"),
        ("packed.mkv", b"PK\x03\x04"),
    ] {
        files.push((name.into(), [start, &pattern(5000, 99)].concat()));
    }
    files.push(("page.webm".into(), b"<!doctype html><title>x</title>".to_vec()));
    files.push(("riff.avi".into(), b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrlavih".to_vec()));
    files.push((
        "box.mp4".into(),
        b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41\xff\xff\xff\xffmoov".to_vec(),
    ));
    files.push(("deep.mkv".into(), b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff".repeat(500)));
    files
}

#[tokio::test]
async fn hostile_and_broken_files_fail_alone_in_a_sentence() {
    if !has_ffmpeg("hostile files") {
        return;
    }
    let app = workshop().await;
    let scratch = tempfile::tempdir().unwrap();
    let secret = scratch.path().join("secret.txt");
    fs::write(&secret, SECRET.repeat(100)).unwrap();
    let (port, heard) = canary();
    let files = files(scratch.path(), &secret, port);
    assert!(files.len() >= 50, "{}", files.len());
    for (name, content) in &files {
        fs::write(app.media().join(name), content).unwrap();
        age(&app.media().join(name));
    }
    // The last in the queue: it comes to its turn.
    let ann = app.register("ann").await;
    for (name, _) in &files {
        let item = settled(&ann, name.split('.').next().unwrap()).await;
        assert_eq!(item["state"], "failed", "{item:#}");
        let sentence = item["error"].as_str().unwrap();
        assert!(sentence.ends_with('.') && sentence.contains(' '), "{item:#}");
        let page = ann.get(&format!("/media/{}", item["id"])).await.is(200);
        page.has(&sentence.replace('\'', "&#39;")).has("Try again").lacks(SECRET);
    }
    clip(&app.media().join("good.avi"), &format!("{PICTURE} -c:v mpeg4"));
    assert_eq!(settled(&ann, "good").await["state"], "ready");
    assert_eq!(heard.load(Ordering::SeqCst), 0, "somebody was talked into asking an address");
    let sets = products(&app.media(), |names| names.iter().all(|name| !name.ends_with(".part"))).await;
    assert_eq!(sets.len(), 1, "failures left something behind");
    for entry in fs::read_dir(app.media().join(".prepared").join(&sets[0])).unwrap() {
        let mut bytes = Vec::new();
        fs::File::open(entry.unwrap().path()).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()));
    }
}
