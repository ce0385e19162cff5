//! What a body that is pushed has in it: by its content type, or by its first bytes where the sender says none.

/// The ways in which samples come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One sample as JSON.
    Json,
    /// One a line, for as long as the body lasts.
    Lines,
    /// One picture.
    Picture,
    /// Pictures, for as long as the body lasts.
    Parts,
    /// Fragmented MP4, for as long as the body lasts.
    Video,
}

/// What the content type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    Form(Form),
    /// Nothing, or what programs say of anything: the first bytes tell.
    Open,
    /// Something that isn't taken.
    Other,
}

/// What a content type stands for.
pub fn named(content_type: Option<&str>) -> Named {
    let mime = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match mime.to_ascii_lowercase().as_str() {
        // The last two are what curl and scripts say of anything by themselves.
        "" | "application/octet-stream" | "application/x-www-form-urlencoded" | "text/plain" => Named::Open,
        "application/json" => Named::Form(Form::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Named::Form(Form::Lines),
        "image/jpeg" | "image/png" | "image/webp" => Named::Form(Form::Picture),
        "video/mp4" | "audio/mp4" => Named::Form(Form::Video),
        "multipart/x-mixed-replace" => Named::Form(Form::Parts),
        _ => Named::Other,
    }
}

/// How many first bytes [`sniff`] wants to see.
pub const SNIFFED: usize = 16;

/// What the first bytes of a body say it is; nothing for what isn't taken.
pub fn sniff(start: &[u8]) -> Option<Form> {
    let text = start.trim_ascii_start();
    if crate::picture::Kind::of(start).is_some() {
        Some(Form::Picture)
    } else if start.get(4..8) == Some(b"ftyp") {
        Some(Form::Video)
    } else if text.starts_with(b"--") {
        Some(Form::Parts)
    } else if text.starts_with(b"{") {
        // A single object is a long body of one line.
        Some(Form::Lines)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_and_first_bytes_say_the_same() {
        assert_eq!(named(Some("application/JSON; charset=utf-8")), Named::Form(Form::Json));
        assert_eq!(named(Some("multipart/x-mixed-replace;boundary=ffmpeg")), Named::Form(Form::Parts));
        assert_eq!((named(None), named(Some("video/mp4"))), (Named::Open, Named::Form(Form::Video)));
        assert_eq!(named(Some("video/webm")), Named::Other);
        for (start, form) in [
            (&b"\n {\"a\":1}"[..], Some(Form::Lines)),
            (b"\r\n--ffmpeg\r\n", Some(Form::Parts)),
            (b"\xff\xd8\xff\xe0abc", Some(Form::Picture)),
            (b"hello", None),
            (b"", None),
            (b"\0\0\0\x18ftypisom", Some(Form::Video)),
        ] {
            assert_eq!(sniff(start), form, "{start:?}");
        }
    }
}
