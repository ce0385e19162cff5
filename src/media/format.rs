//! What a media file is: by its first bytes, and where they don't say, by its extension.

use std::path::Path;

/// Bytes of a file's beginning that [`Format::of`] looks at. Matroska names its document type within these, and an MPEG
/// transport stream has begun its third packet.
pub const HEAD: usize = 512;

/// What ASF, the container of WMV and WMA, begins with.
const ASF: &[u8] = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";

/// What is heard and what is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MediaKind)]
pub enum Kind {
    Audio,
    Video,
}

impl Kind {
    /// As stored and as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "audio" => Ok(Self::Audio),
            "video" => Ok(Self::Video),
            _ => Err(format!("“{text}” is no kind of media")),
        }
    }
}

/// A type that browsers can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub kind: Kind,
    pub mime: &'static str,
}

const fn audio(mime: &'static str) -> Format {
    Format { kind: Kind::Audio, mime }
}

const fn video(mime: &'static str) -> Format {
    Format { kind: Kind::Video, mime }
}

impl Format {
    /// The format of a file, or nothing when its extension is none of a media file. `head` is its beginning,
    /// up to [`HEAD`] bytes; it may be empty, as with a file that has only begun to arrive.
    pub fn of(path: &Path, head: &[u8]) -> Option<Self> {
        let named = Self::by_extension(path)?;
        Some(Self::by_content(head, named).unwrap_or(named))
    }

    /// The format of something sent under this name, by its content alone; the name only tells sound from pictures
    /// where a container holds either. Nothing when it isn't media. `head` is its beginning, up to [`HEAD`] bytes.
    pub fn of_content(name: &Path, head: &[u8]) -> Option<Self> {
        Self::by_content(head, Self::by_extension(name).unwrap_or(video("")))
    }

    /// What a file of this type ends with, so that the folder's other users know it too.
    pub fn extension(self) -> &'static str {
        extension(self.mime)
    }

    fn by_extension(path: &Path) -> Option<Self> {
        Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "wav" => audio("audio/wav"),
            "mp3" => audio("audio/mpeg"),
            "ogg" | "oga" | "opus" => audio("audio/ogg"),
            "flac" => audio("audio/flac"),
            "m4a" => audio("audio/mp4"),
            "aac" => audio("audio/aac"),
            "mp4" | "m4v" => video("video/mp4"),
            "webm" => video("video/webm"),
            "mov" => video("video/quicktime"),
            "mkv" => video("video/x-matroska"),
            "mka" => audio("audio/x-matroska"),
            "ogv" => video("video/ogg"),
            "avi" => video("video/x-msvideo"),
            "wmv" | "asf" => video("video/x-ms-wmv"),
            "wma" => audio("audio/x-ms-wma"),
            "mpg" | "mpeg" | "m2v" | "vob" => video("video/mpeg"),
            "ts" | "m2ts" | "mts" => video("video/mp2t"),
            "3gp" | "3g2" => video("video/3gpp"),
            "flv" => video("video/x-flv"),
            "aif" | "aiff" | "aifc" => audio("audio/aiff"),
            "amr" => audio("audio/amr"),
            "au" | "snd" => audio("audio/basic"),
            "caf" => audio("audio/x-caf"),
            _ => return None,
        })
    }

    /// The containers that hold sound as well as pictures keep the kind that the extension promised.
    fn by_content(head: &[u8], named: Self) -> Option<Self> {
        let at = |from: usize, bytes: &[u8]| head.get(from..from + bytes.len()) == Some(bytes);
        let has = |bytes: &[u8]| head.windows(bytes.len()).any(|window| window == bytes);
        Some(match head {
            _ if at(0, b"RIFF") && at(8, b"WAVE") => audio("audio/wav"),
            _ if at(0, b"fLaC") => audio("audio/flac"),
            _ if at(0, b"OggS") && has(b"\x80theora") => video("video/ogg"),
            _ if at(0, b"OggS") => audio("audio/ogg"),
            _ if at(0, b"RIFF") && at(8, b"AVI ") => video("video/x-msvideo"),
            _ if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) => audio("audio/aiff"),
            _ if at(0, ASF) && named.kind == Kind::Audio => audio("audio/x-ms-wma"),
            _ if at(0, ASF) => video("video/x-ms-wmv"),
            _ if at(0, b"\0\0\x01\xba") || at(0, b"\0\0\x01\xb3") => video("video/mpeg"),
            _ if [0, 188, 376].iter().all(|place| at(*place, b"G")) => video("video/mp2t"),
            // Discs and cameras put four bytes of time before each packet.
            _ if [4, 196, 388].iter().all(|place| at(*place, b"G")) => video("video/mp2t"),
            _ if at(0, b"FLV\x01") => video("video/x-flv"),
            _ if at(0, b"#!AMR") => audio("audio/amr"),
            _ if at(0, b".snd") => audio("audio/basic"),
            _ if at(0, b"caff") => audio("audio/x-caf"),
            _ if at(4, b"ftypqt  ") => video("video/quicktime"),
            // Older than the box that names the brand.
            _ if [&b"moov"[..], b"mdat", b"wide", b"free", b"skip"].iter().any(|word| at(4, word)) => {
                video("video/quicktime")
            }
            _ if at(4, b"ftyp3g") => video("video/3gpp"),
            _ if at(4, b"ftypM4A") || at(4, b"ftypM4B") => audio("audio/mp4"),
            _ if at(4, b"ftyp") && named.kind == Kind::Audio => audio("audio/mp4"),
            _ if at(4, b"ftyp") => video("video/mp4"),
            _ if at(0, b"\x1a\x45\xdf\xa3") && has(b"webm") && named.kind == Kind::Audio => {
                audio("audio/webm")
            }
            _ if at(0, b"\x1a\x45\xdf\xa3") && has(b"webm") => video("video/webm"),
            _ if at(0, b"\x1a\x45\xdf\xa3") && named.kind == Kind::Audio => audio("audio/x-matroska"),
            _ if at(0, b"\x1a\x45\xdf\xa3") => video("video/x-matroska"),
            _ if at(0, b"ID3") => audio("audio/mpeg"),
            // Both begin with twelve set bits; the layer bits are zero in ADTS alone.
            [0xff, second, ..] if second & 0xf6 == 0xf0 => audio("audio/aac"),
            [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => audio("audio/mpeg"),
            _ => return None,
        })
    }
}

/// What a file of a known type ends with.
pub fn extension(mime: &str) -> &'static str {
    match mime {
        "audio/wav" => "wav",
        "audio/mpeg" => "mp3",
        "audio/ogg" | "video/ogg" => "ogg",
        "audio/flac" => "flac",
        "audio/mp4" => "m4a",
        "audio/aac" => "aac",
        "audio/webm" | "video/webm" => "webm",
        "audio/aiff" => "aiff",
        "audio/amr" => "amr",
        "audio/basic" => "au",
        "audio/x-caf" => "caf",
        "audio/x-matroska" => "mka",
        "audio/x-ms-wma" => "wma",
        "video/3gpp" => "3gp",
        "video/mp2t" => "ts",
        "video/mpeg" => "mpg",
        "video/quicktime" => "mov",
        "video/x-flv" => "flv",
        "video/x-matroska" => "mkv",
        "video/x-ms-wmv" => "wmv",
        "video/x-msvideo" => "avi",
        _ => "mp4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_beat_the_extension() {
        let of = |name: &str, head: &[u8]| Format::of(Path::new(name), head).map(|format| format.mime);
        for (name, head, mime) in [
            ("a.wav", b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), "audio/wav"),
            ("a.mp3", b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            ("a.MP3", b"ID3\x04\0\0", "audio/mpeg"),
            ("a.mp3", b"\xff\xfb\x90\x64", "audio/mpeg"),
            ("a.mp3", b"\xff\xf1\x50\x80", "audio/aac"),
            ("a.mp4", b"\0\0\0\x20ftypisom", "video/mp4"),
            ("a.m4a", b"\0\0\0\x20ftypisom", "audio/mp4"),
            ("a.mp4", b"\0\0\0\x14ftypqt  ", "video/quicktime"),
            ("a.mkv", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
            ("a.opus", b"OggS\0\x02", "audio/ogg"),
            ("a.avi", b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
            ("a.wma", ASF, "audio/x-ms-wma"),
            ("a.asf", ASF, "video/x-ms-wmv"),
            ("a.aif", b"FORM\0\0\0\0AIFFCOMM", "audio/aiff"),
            ("a.mpg", b"\0\0\x01\xba\x44", "video/mpeg"),
            ("a.mov", b"\0\0\0\x08wide\0\0", "video/quicktime"),
            ("a.mka", b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "audio/x-matroska"),
            ("a.ts", &[b'G'; 377], "video/mp2t"),
        ] {
            assert_eq!(of(name, head), Some(mime), "{name}");
        }
    }

    #[test]
    fn what_is_sent_is_judged_by_its_content_alone() {
        let of = |name: &str, head: &[u8]| {
            Format::of_content(Path::new(name), head).map(|format| (format.mime, format.extension()))
        };
        for (name, head, format) in [
            ("a", b"\0\0\0\x20ftypisom".as_slice(), ("video/mp4", "mp4")),
            ("song.m4a", b"\0\0\0\x20ftypisom", ("audio/mp4", "m4a")),
            ("film.mp4", b"fLaC\0\0", ("audio/flac", "flac")),
            ("x.html", b"ID3\x04\0\0", ("audio/mpeg", "mp3")),
        ] {
            assert_eq!(of(name, head), Some(format), "{name}");
            let named = format!("a.{}", format.1);
            assert_eq!(Format::of(Path::new(&named), head).map(|f| f.mime), Some(format.0), "{named}");
        }
        for head in [b"<html>".as_slice(), b"PK\x03\x04", b"#EXTM3U\n/etc/passwd", b"\x89PNG\r\n", b""] {
            assert_eq!(of("film.mp4", head), None, "{head:?}");
        }
    }

    #[test]
    fn a_file_that_has_only_begun_to_arrive_is_what_its_name_says() {
        assert_eq!(Format::of(Path::new("talk.webm"), b"").map(|f| f.mime), Some("video/webm"));
    }

    #[test]
    fn a_file_without_a_media_extension_is_none() {
        for name in ["README.md", "page.html", "noextension", "picture.svg", ".mp4"] {
            assert_eq!(Format::of(Path::new(name), b"RIFF\x24\0\0\0WAVEfmt "), None, "{name}");
        }
    }
}
