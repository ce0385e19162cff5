//! The body of a file's answer: stretches of the file with words between them.

use crate::site::range::Span;
use actix_files::NamedFile;
use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;
use tokio::task::JoinHandle;

/// Bytes read in one go. Larger ones wait longer for a slow client's connection, smaller ones cost a thread's
/// wake-up too often.
const CHUNK: u64 = 128 * 1024;

/// One piece of a body.
#[derive(Debug)]
pub enum Piece {
    Words(Bytes),
    File(Span),
}

impl Piece {
    pub fn is_empty(&self) -> bool {
        self.length() == 0
    }

    fn length(&self) -> u64 {
        match self {
            Self::Words(bytes) => bytes.len() as u64,
            Self::File(span) => span.length,
        }
    }
}

/// Pieces that are read while they are sent. It fails when the file is changed meanwhile, since a client that
/// got half of the old file and half of the new one would believe that it had either.
pub struct Pieces {
    queue: VecDeque<Piece>,
    length: u64,
    state: State,
}

enum State {
    Idle(Source),
    Reading(JoinHandle<io::Result<(Source, Bytes)>>),
    Over,
}

/// The file, and how it was when it was opened.
struct Source {
    file: Box<NamedFile>,
    size: u64,
    modified: Option<SystemTime>,
}

impl Pieces {
    pub fn new(file: NamedFile, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let queue: VecDeque<Piece> = pieces.into_iter().collect();
        let length = queue.iter().map(Piece::length).sum();
        let (size, modified) = (file.metadata().len(), file.modified());
        Self { queue, length, state: State::Idle(Source { file: Box::new(file), size, modified }) }
    }
}

impl Source {
    fn read(self, span: Span) -> io::Result<(Self, Bytes)> {
        let mut bytes = Vec::with_capacity(usize::try_from(span.length).unwrap_or_default());
        let mut file = self.file.file();
        file.seek(SeekFrom::Start(span.start))?;
        file.take(span.length).read_to_end(&mut bytes)?;
        self.check()?;
        if bytes.len() as u64 == span.length { Ok((self, bytes.into())) } else { Err(changed()) }
    }

    /// The beginning of `span`, if it lies in the page cache: waking a thread for it takes longer than copying it.
    /// Nothing where the disk would have to be waited for, which a worker must never do.
    #[cfg(target_os = "linux")]
    fn read_cached(&self, span: Span) -> io::Result<Option<Bytes>> {
        use rustix::io::{ReadWriteFlags, preadv2};
        let mut bytes = vec![0; usize::try_from(span.length).unwrap_or_default()];
        let buffers = &mut [io::IoSliceMut::new(&mut bytes)];
        match preadv2(self.file.file(), buffers, span.start, ReadWriteFlags::NOWAIT) {
            Ok(0) => Err(changed()),
            Ok(n) => {
                bytes.truncate(n);
                self.check()?;
                Ok(Some(bytes.into()))
            }
            // Not cached, or a file system that doesn't know the question: the thread finds out what is wrong.
            Err(_) => Ok(None),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn read_cached(&self, _: Span) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    /// Whether the file is still the one that was opened.
    fn check(&self) -> io::Result<()> {
        let now = self.file.file().metadata()?;
        let same = now.len() == self.size && now.modified().ok() == self.modified;
        if same { Ok(()) } else { Err(changed()) }
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the file was changed while it was sent")
}

impl MessageBody for Pieces {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Poll::Ready(None),
                State::Reading(mut reading) => {
                    let Poll::Ready(done) = Pin::new(&mut reading).poll(cx) else {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (source, bytes) = done.map_err(io::Error::other).flatten()?;
                    self.state = State::Idle(source);
                    return Poll::Ready(Some(Ok(bytes)));
                }
                State::Idle(source) => match self.queue.pop_front() {
                    None => return Poll::Ready(None),
                    Some(Piece::Words(bytes)) => {
                        self.state = State::Idle(source);
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    Some(Piece::File(span)) => {
                        let now = Span { length: span.length.min(CHUNK), ..span };
                        let cached = source.read_cached(now)?;
                        let taken = cached.as_ref().map_or(now.length, |bytes| bytes.len() as u64);
                        if span.length > taken {
                            let rest = Span { start: span.start + taken, length: span.length - taken };
                            self.queue.push_front(Piece::File(rest));
                        }
                        let Some(bytes) = cached else {
                            self.state =
                                State::Reading(tokio::task::spawn_blocking(move || source.read(now)));
                            continue;
                        };
                        self.state = State::Idle(source);
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    fn file(bytes: &[u8]) -> io::Result<(tempfile::TempDir, NamedFile)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.wav");
        std::fs::write(&path, bytes)?;
        Ok((folder, NamedFile::open(path)?))
    }

    fn span(start: u64, length: u64) -> Piece {
        Piece::File(Span { start, length })
    }

    #[tokio::test]
    async fn pieces_come_in_order_across_chunks() -> io::Result<()> {
        let all: Vec<u8> = (0..CHUNK * 2 + 77).map(|n| (n % 251) as u8).collect();
        let (_folder, file) = file(&all)?;
        let body = Pieces::new(
            file,
            [Piece::Words("<".into()), span(5, CHUNK * 2), span(0, 3), Piece::Words(">".into())],
        );
        assert_eq!(body.size(), BodySize::Sized(CHUNK * 2 + 5));
        let got = to_bytes(body).await?;
        let end = usize::try_from(CHUNK * 2 + 5).unwrap();
        assert_eq!(got, [b"<".as_slice(), &all[5..end], &all[..3], b">"].concat());
        Ok(())
    }

    #[tokio::test]
    async fn a_file_that_is_cut_or_written_while_it_is_sent_ends_the_answer() -> io::Result<()> {
        for change in [b"short".to_vec(), vec![7; 300_000]] {
            let (folder, file) = file(&vec![1; 300_000])?;
            let mut body = Box::pin(Pieces::new(file, [span(0, 300_000)]));
            let first = std::future::poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap()?;
            assert!(first.iter().all(|byte| *byte == 1));
            // A file's clock ticks in steps of a few milliseconds.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            std::fs::write(folder.path().join("a.wav"), change)?;
            let rest = to_bytes(body).await;
            assert!(rest.is_err(), "{} bytes came", rest.map_or(0, |bytes| bytes.len()));
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_file_that_is_replaced_by_another_is_sent_to_its_end() -> io::Result<()> {
        let (folder, file) = file(&vec![1; 300_000])?;
        std::fs::write(folder.path().join("new"), vec![2; 300_000])?;
        std::fs::rename(folder.path().join("new"), folder.path().join("a.wav"))?;
        let got = to_bytes(Pieces::new(file, [span(0, 300_000)])).await?;
        assert!(got.len() == 300_000 && got.iter().all(|byte| *byte == 1));
        Ok(())
    }
}
