//! A body that is pushed: how it comes, and what it has in it, by its content type or by its first bytes where the sender says none.

use super::studio::Stop;
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How long a long body may be silent.
const SILENCE: Duration = Duration::from_mins(10);
/// Bytes of a body that was refused that are still read: whoever sends doesn't look for the answer before they are gone.
const DRAINED: usize = 64 * 1024 * 1024;

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
const SNIFFED: usize = 16;

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

/// What comes next of a body.
pub enum Came {
    Bytes(Bytes),
    /// It is over, as it was meant to be.
    End,
    /// It broke off.
    Cut,
    Stop(Stop),
}

/// A body on its way.
pub struct Body {
    inlet: Inlet,
    until: watch::Receiver<Option<Stop>>,
    /// How it ended, once it has.
    ended: Option<bool>,
}

/// Where a body comes in.
pub enum Inlet {
    /// As the body of a request.
    Request(web::Payload),
    /// As the messages of a WebSocket.
    Socket(mpsc::Receiver<Came>),
}

impl Inlet {
    async fn next(&mut self) -> Came {
        match self {
            Self::Request(payload) => match poll_fn(|cx| Pin::new(&mut *payload).poll_next(cx)).await {
                Some(Ok(bytes)) => Came::Bytes(bytes),
                Some(Err(_)) => Came::Cut,
                None => Came::End,
            },
            Self::Socket(messages) => messages.recv().await.unwrap_or(Came::Cut),
        }
    }
}

impl Body {
    pub fn new(inlet: Inlet, until: watch::Receiver<Option<Stop>>) -> Self {
        Self { inlet, until, ended: None }
    }

    pub async fn next(&mut self) -> Came {
        if let Some(whole) = self.ended {
            return if whole { Came::End } else { Came::Cut };
        }
        let came = tokio::select! {
            came = self.inlet.next() => came,
            stop = self.until.wait_for(Option::is_some) => {
                Came::Stop(stop.ok().and_then(|stop| *stop).unwrap_or(Stop::Closing))
            }
            () = tokio::time::sleep(SILENCE) => Came::Cut,
        };
        match came {
            Came::End => self.ended = Some(true),
            Came::Cut => self.ended = Some(false),
            Came::Bytes(_) | Came::Stop(_) => {}
        }
        came
    }

    /// What it is, and as many of its first bytes as it took to know that.
    pub async fn start(&mut self) -> (Option<Form>, Bytes) {
        let mut start = BytesMut::new();
        let form = loop {
            let form = sniff(&start);
            // A slow source's first line may be shorter than what the longest beginning needs.
            if form.is_some() || start.trim_ascii_start().len() >= SNIFFED || start.len() > 1024 {
                break form;
            }
            match self.next().await {
                Came::Bytes(bytes) => start.extend_from_slice(&bytes),
                Came::End | Came::Cut | Came::Stop(_) => break form,
            }
        };
        (form, start.freeze())
    }

    /// Reads on without keeping anything, unless it says that it is enormous.
    pub async fn drain(&mut self, length: Option<usize>) {
        let mut left = DRAINED;
        while length.is_none_or(|length| length <= DRAINED)
            && let Came::Bytes(bytes) = self.next().await
            && let Some(rest) = left.checked_sub(bytes.len())
        {
            left = rest;
        }
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
